import type { ImagePolicyChoice, ImageTagFilter } from '@setpoint/contracts'
import { compileFilter } from './filter.ts'
import type { Candidate, Judgement } from './judge.ts'
import { compileOrder } from './orders.ts'

/** The part of an ImagePolicy's spec that chooses. */
export interface ImagePolicyRules {
  policy: ImagePolicyChoice
  filterTags?: ImageTagFilter
}

/** A policy that is ready to judge. */
export interface Policy {
  /** Chooses one of the tags; their order does not matter. Time is linear in their length, but for the sort. */
  judge(tags: readonly string[]): Judgement
}

/** Reads the rules of an ImagePolicy. @throws PolicyError when they can choose nothing, whatever the tags are. */
export function compilePolicy({ policy, filterTags }: ImagePolicyRules): Policy {
  const filter = filterTags === undefined ? undefined : compileFilter(filterTags.pattern, filterTags.extract)
  const rank = compileOrder(policy)
  return {
    judge(tags) {
      const sorted = tags.toSorted()
      if (filter === undefined) return withChoice(tags, rank(sorted.map((tag) => ({ tag, value: tag }))))
      const { candidates, rejected } = applyFilter(filter, sorted, filterTags?.pattern ?? '')
      const ranked = rank(candidates)
      return withChoice(tags, { ...ranked, rejected: [...rejected, ...ranked.rejected] })
    },
  }
}

/** Of tags that give the same value, the last is compared, as with Flux. */
function applyFilter(
  filter: (tag: string) => string | undefined,
  tags: readonly string[],
  pattern: string,
): { candidates: Candidate[]; rejected: Judgement['rejected'] } {
  const byValue = new Map<string, string>()
  const rejected: Judgement['rejected'] = []
  for (const tag of tags) {
    const value = filter(tag)
    if (value === undefined) {
      rejected.push({ tag, reason: `does not match ${pattern}` })
      continue
    }
    const collided = byValue.get(value)
    if (collided !== undefined)
      rejected.push({ tag: collided, reason: `gives the same "${value}" as ${tag}` })
    byValue.set(value, tag)
  }
  return { candidates: [...byValue].map(([value, tag]) => ({ tag, value })), rejected }
}

function withChoice(tags: readonly string[], judged: Omit<Judgement, 'chosen'>): Judgement {
  const [chosen] = judged.ranked
  if (chosen !== undefined) return { ...judged, chosen }
  const problem = tags.length === 0 ? 'there are no tags' : `none of the ${tags.length} tags fits the policy`
  return { ...judged, problem: judged.problem ?? problem }
}
