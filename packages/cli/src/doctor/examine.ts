import { messageOf } from '../errors.ts'
import { type Check, type Finding, failed, type Patient } from './check.ts'
import { checkApiServer, checkCrds, checkFlux } from './check-cluster.ts'
import { checkNats } from './check-nats.ts'
import { checkObjects } from './check-objects.ts'
import { checkServices } from './check-services.ts'

/** Everything else asks the API server, so a failure of this one ends the examination. */
const first: Check = checkApiServer
const others: readonly (readonly [name: string, check: Check])[] = [
  ['CRDs', checkCrds],
  ['Flux', checkFlux],
  ['services', checkServices],
  ['NATS', checkNats],
  ['objects', checkObjects],
]

/** Looks at the whole of Setpoint. A check that breaks down is a finding too. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const answers = await attempt('API server', first, patient)
  if (answers.some(({ result }) => result === 'failed')) return answers
  const rest = await Promise.all(others.map(([name, check]) => attempt(name, check, patient)))
  return [...answers, ...rest.flat()]
}

async function attempt(name: string, check: Check, patient: Patient): Promise<Finding[]> {
  try {
    return await check(patient)
  } catch (error) {
    return [failed(name, messageOf(error), adviceFor(error))]
  }
}

function adviceFor(error: unknown): string {
  const name = error instanceof Error ? error.name : ''
  if (name === 'KubeUnreachableError') return 'is the cluster up, and --kubeconfig and --context right?'
  if (name === 'NoMatchError') return 'install the CRDs: `setpoint up`, or the Helm chart'
  return 'see the message'
}
