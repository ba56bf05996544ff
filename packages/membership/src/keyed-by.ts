import type { Membership } from './membership.ts'

/**
 * The same replicas for other keys: each belongs where its owner key belongs, so that things that are worked on
 * together stay together.
 */
export function keyedBy(membership: Membership, ownerKey: (key: string) => string): Membership {
  return {
    owns: (key) => membership.owns(ownerKey(key)),
    onChange: (work) =>
      membership.onChange({
        release: (isLost, graceMs) => work.release((key) => isLost(ownerKey(key)), graceMs),
        regain: () => work.regain(),
      }),
    problem: () => membership.problem(),
    get replicas() {
      return membership.replicas
    },
    leave: () => membership.leave(),
  }
}
