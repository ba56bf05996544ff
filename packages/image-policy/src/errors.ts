/** A policy that no list of tags could satisfy: only a change of its spec helps. */
export class PolicyError extends Error {
  override name = 'PolicyError'
}
