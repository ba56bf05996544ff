import { type ScalarValue, SourceScalar } from '@setpoint/manifest'
import { BuildError } from '../build-error.ts'
import {
  BareScalar,
  isString,
  overwriteText,
  plainText,
  SourceText,
  stringValue,
  textOf,
  type Value,
} from '../value.ts'

/** Writes text over a scalar, which keeps its type: a string stays one, a number must get a number. */
export function writeScalar(old: Value, text: string): Value {
  if (old === '' || old instanceof BareScalar) return plainText(text)
  if (isString(old)) return SourceText.isQuoted(old) ? SourceText.quoted(text) : stringValue(text)
  const value = overwriteText(old, text)
  if (isSameType(old, value)) return new SourceScalar(text, SourceText.valueOf(value) as ScalarValue, false)
  throw new BuildError('bad-value', `cannot write '${text}' over '${textOf(old)}', which is of another type`)
}

/** A whole number may stand for a fraction. */
function isSameType(old: Value, value: Value): boolean {
  return typeOf(old) === typeOf(value) || (typeOf(old) === 'float' && typeOf(value) === 'integer')
}

function typeOf(value: Value): string {
  const plain = SourceText.valueOf(value)
  if (plain === null) return 'null'
  if (typeof plain === 'string' && !isString(value)) return 'time'
  if (typeof plain === 'bigint') return 'integer'
  if (typeof plain !== 'number') return typeof plain
  return /^[-+]?(\d[\d_]*|0[xob][\da-f_]+)$/i.test(textOf(value)) ? 'integer' : 'float'
}
