import { CelError, type Expression } from '@setpoint/cel'
import { Stalled } from '@setpoint/reconcile'

/**
 * Reads an expression of the spec.
 * @throws Stalled with reason InvalidCELExpression, naming the field: only a change of the spec can help.
 */
export function readExpression(field: string, read: () => Expression): Expression {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    throw new Stalled('InvalidCELExpression', `${field}: ${error.message}`, { cause: error })
  }
}
