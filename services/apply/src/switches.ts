import {
  FORCE_SWITCH,
  OWNER_NAME_LABEL,
  OWNER_NAMESPACE_LABEL,
  PRUNE_SWITCH,
  RECONCILE_SWITCH,
  SSA_SWITCH,
} from '@setpoint/contracts'
import type { KubeObject, ObjectMeta } from '@setpoint/manifest'

type Labelled = Pick<KubeObject, 'metadata'> | undefined

/** Neither applied nor pruned: said by the manifest or by the live object. */
export function isLeftAlone(desired: Labelled, live: Labelled): boolean {
  return [desired, live].some(
    (object) => isSwitched(object, RECONCILE_SWITCH, 'disabled') || isSwitched(object, SSA_SWITCH, 'ignore'),
  )
}

/** Created when it is missing, and then left to others; still pruned. */
export function isCreateOnly(desired: Labelled, live: Labelled): boolean {
  return isSwitched(desired, SSA_SWITCH, 'ifnotpresent') || isSwitched(live, SSA_SWITCH, 'ifnotpresent')
}

/** Applied without taking over the fields that kubectl has set. */
export function isMerged(desired: Labelled, live: Labelled): boolean {
  return isSwitched(desired, SSA_SWITCH, 'merge') || isSwitched(live, SSA_SWITCH, 'merge')
}

/** Deleted and made anew when an immutable field has to change. */
export function isForced(desired: Labelled, live: Labelled): boolean {
  return isSwitched(desired, FORCE_SWITCH, 'enabled') || isSwitched(live, FORCE_SWITCH, 'enabled')
}

/** Kept in the cluster when it leaves the set. */
export function isKept(live: Labelled): boolean {
  return isSwitched(live, PRUNE_SWITCH, 'disabled') || isLeftAlone(undefined, live)
}

/** Who the owner labels say an object belongs to: `<namespace>/<name>`, or undefined without both. */
export function ownerKeyOf(metadata: ObjectMeta): string | undefined {
  const name = metadata.labels?.[OWNER_NAME_LABEL]
  const namespace = metadata.labels?.[OWNER_NAMESPACE_LABEL]
  return name === undefined || namespace === undefined ? undefined : `${namespace}/${name}`
}

/** The object as it would be if nobody owned it. */
export function withoutOwner(object: KubeObject): KubeObject {
  const {
    [OWNER_NAME_LABEL]: _name,
    [OWNER_NAMESPACE_LABEL]: _namespace,
    ...labels
  } = object.metadata.labels ?? {}
  return { ...object, metadata: { ...object.metadata, labels } }
}

/** A switch may be a label or an annotation; its value is compared without regard to case. */
function isSwitched(object: Labelled, key: string, value: string): boolean {
  if (object === undefined) return false
  const { labels, annotations } = object.metadata
  return [labels?.[key], annotations?.[key]].some((given) => given?.toLowerCase() === value)
}
