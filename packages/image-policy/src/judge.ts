/** Why a tag was not looked at further. */
export interface Rejection {
  tag: string
  /** For people, such as `is outside 1.x`. */
  reason: string
}

/** What a policy says of a list of tags. */
export interface Judgement {
  /** The tag to run; undefined when there is none, and problem says why. */
  chosen?: string
  problem?: string
  /** The tags that were compared, the best first. */
  ranked: string[]
  rejected: Rejection[]
}

/** A tag with what of it is compared. */
export interface Candidate {
  tag: string
  value: string
}
