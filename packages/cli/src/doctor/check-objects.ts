import { kustomization, type ManagedKind, sourceKinds } from '../cluster/kinds.ts'
import { listManaged, type ManagedObject, readyOf } from '../cluster/managed-object.ts'
import { type Check, type Finding, failed, ok, type Patient, warning } from './check.ts'

/** An object that nobody has looked at for this long is nobody's. */
const SEEN_WITHIN_MS = 60_000

/** Every source and Kustomization is looked after. */
export const checkObjects: Check = async (patient) => {
  const kinds = [...sourceKinds, kustomization]
  return Promise.all(kinds.map(async (kind) => checkKind(kind, patient)))
}

async function checkKind(kind: ManagedKind, { kube, nowMs }: Patient): Promise<Finding> {
  const check = `${kind.ref.kind} objects`
  const objects = await listManaged(kube, kind, undefined)
  const active = objects.filter(({ spec }) => !spec.suspend)
  const unseen = active.filter((object) => isUnseen(object, nowMs))
  if (unseen.length > 0)
    return failed(
      check,
      `${unseen.length} of ${objects.length} were never looked at, such as ${nameOf(unseen[0])}`,
      'the service that owns them does not work; see above',
    )
  const notReady = active.filter((object) => readyOf(object)?.status === 'False')
  const suspended = objects.length - active.length
  const counts = `${objects.length} in all, ${notReady.length} not ready, ${suspended} suspended`
  if (notReady.length === 0) return ok(check, counts)
  return warning(check, `${counts}; such as ${nameOf(notReady[0])}`, 'see `setpoint get all -A`')
}

function isUnseen({ metadata, status }: ManagedObject, nowMs: number): boolean {
  const createdMs = Date.parse(metadata.creationTimestamp ?? '')
  return nowMs - createdMs > SEEN_WITHIN_MS && (status?.conditions ?? []).length === 0
}

const nameOf = (object: ManagedObject | undefined): string =>
  `${object?.metadata.namespace}/${object?.metadata.name}`
