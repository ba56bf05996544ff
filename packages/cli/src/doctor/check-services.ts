import type { KubeClient } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import { probe } from '../up/readiness.ts'
import type { UpService, UpState } from '../up/state-file.ts'
import { type Check, type Finding, failed, ok, type Patient } from './check.ts'
import { readQueues } from './read-queues.ts'

const POD = { group: '', version: 'v1', kind: 'Pod' }
const COMPONENTS = ['source', 'kustomize-render', 'apply', 'image-automation']

/** Every service is alive and ready: those of `setpoint up` on this machine, else the Pods of the chart. */
export const checkServices: Check = async (patient) => {
  if (patient.state !== undefined) return checkProcesses(patient.state)
  return checkPods(patient.kube, patient)
}

async function checkProcesses(state: UpState): Promise<Finding[]> {
  const findings = await Promise.all(state.services.map(checkProcess))
  return [ok('setpoint up', `process ${state.pid} on this machine`), ...findings.flat()]
}

async function checkProcess({ name, pid, url, restarts }: UpService): Promise<Finding[]> {
  const check = `service ${name}`
  if (pid === undefined)
    return [
      failed(check, `is down; it was started again ${restarts} times`, 'see what `setpoint up` printed'),
    ]
  const alive = await probe(`${url}/healthz`)
  if (alive !== undefined)
    return [failed(check, `is not alive: ${alive}`, `see ${url}/healthz; process ${pid}`)]
  const ready = await probe(`${url}/readyz`)
  if (ready !== undefined)
    return [failed(check, `is not ready: ${ready}`, `see ${url}/readyz; process ${pid}`)]
  const restarted = restarts === 0 ? '' : `, started again ${restarts} times`
  return [ok(check, `alive and ready (process ${pid}${restarted})`), ...(await queueFindings(name, url))]
}

/** A queue that has work and moves is well; one that does not move makes /healthz fail, above. */
async function queueFindings(name: string, url: string): Promise<Finding[]> {
  try {
    const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(3_000) })
    const queues = readQueues(await answer.text())
    if (queues.length === 0) return []
    const texts = queues.map(
      ({ name, waiting, finished, longestSeconds }) =>
        `${name}: ${waiting} waiting, ${finished} done${longestSeconds >= 1 ? `, longest runs for ${Math.round(longestSeconds)} s` : ''}`,
    )
    return [ok(`queues of ${name}`, texts.join('; '))]
  } catch (error) {
    return [failed(`queues of ${name}`, `/metrics cannot be read: ${String(error)}`, `see ${url}/metrics`)]
  }
}

async function checkPods(kube: KubeClient, { namespace }: Patient): Promise<Finding[]> {
  const pods = await kube.list(POD, { labelSelector: 'app.kubernetes.io/part-of=setpoint' })
  if (pods.length === 0)
    return [
      failed(
        'services',
        'Setpoint does not run for this cluster, neither from this machine nor in the cluster',
        `start it with \`setpoint up\` (with the same --data, if you give one), or install the chart into ${namespace}`,
      ),
    ]
  return COMPONENTS.map((component) => checkComponent(component, pods))
}

function checkComponent(component: string, pods: KubeObject[]): Finding {
  const check = `service ${component}`
  const own = pods.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === component)
  if (own.length === 0)
    return failed(
      check,
      'has no Pod',
      `see kubectl get deployments -l app.kubernetes.io/component=${component} -A`,
    )
  const ready = own.filter(isReady)
  const [first] = own
  const where = `${first?.metadata.namespace}/${first?.metadata.name}`
  if (ready.length === 0)
    return failed(
      check,
      `has no ready Pod: ${podProblem(first)}`,
      `see kubectl describe pod ${first?.metadata.name} -n ${first?.metadata.namespace}`,
    )
  return ok(check, `${ready.length} of ${own.length} Pods ready (${where})`)
}

interface PodStatus {
  phase?: string
  conditions?: { type: string; status: string; message?: string }[]
  containerStatuses?: { state?: { waiting?: { reason?: string } }; restartCount?: number }[]
}

function isReady(pod: KubeObject): boolean {
  const { conditions } = (pod.status ?? {}) as PodStatus
  return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

function podProblem(pod: KubeObject | undefined): string {
  const status = (pod?.status ?? {}) as PodStatus
  const waiting = status.containerStatuses?.map(({ state }) => state?.waiting?.reason).find(Boolean)
  const unmet = status.conditions?.find(({ status }) => status === 'False')?.message
  return [status.phase, waiting, unmet].filter(Boolean).join(', ')
}
