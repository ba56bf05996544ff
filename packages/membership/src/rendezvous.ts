/**
 * The one replica that a key belongs to: the one with the highest score for it. When a replica goes, only its keys
 * move, evenly to the others; when one comes, it takes an even share from each. Undefined without replicas.
 */
export function ownerOf(key: string, replicas: readonly string[]): string | undefined {
  let owner: string | undefined
  let highest = -1
  for (const replica of replicas) {
    const score = scoreOf(key, replica)
    if (score < highest || (score === highest && owner !== undefined && replica < owner)) continue
    owner = replica
    highest = score
  }
  return owner
}

/** FNV-1a over both, then mixed, so that one different character changes every bit. */
function scoreOf(key: string, replica: string): number {
  return mix(hash(key, hash(`${replica}\0`, 0x811c9dc5)))
}

function hash(text: string, seed: number): number {
  let value = seed
  for (let index = 0; index < text.length; index += 1)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value
}

function mix(value: number): number {
  let mixed = value ^ (value >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
