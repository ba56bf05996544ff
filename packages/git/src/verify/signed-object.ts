/** A commit or an annotated tag, taken apart. */
export interface SignedObject {
  /** What was signed. */
  payload: Buffer
  /** Armored; undefined when there is none. */
  signature: string | undefined
}

const SIGNATURES = [
  '-----BEGIN PGP SIGNATURE-----',
  '-----BEGIN SSH SIGNATURE-----',
  '-----BEGIN SIGNED MESSAGE-----',
]

/** A commit holds its signature in the header `gpgsig`, whose further lines start with a space. */
export function splitCommit(bytes: Uint8Array): SignedObject {
  const text = Buffer.from(bytes).toString('latin1')
  const end = text.indexOf('\n\n')
  const head = end === -1 ? text : text.slice(0, end + 1)
  const found = /^gpgsig (.*\n(?: .*\n)*)/m.exec(head)
  if (found === null) return { payload: Buffer.from(bytes), signature: undefined }
  const payload = head.slice(0, found.index) + text.slice(found.index + found[0].length)
  return { payload: Buffer.from(payload, 'latin1'), signature: (found[1] ?? '').replaceAll('\n ', '\n') }
}

/** A tag ends with its signature. */
export function splitTag(bytes: Uint8Array): SignedObject {
  const text = Buffer.from(bytes).toString('latin1')
  const start = Math.max(...SIGNATURES.map((marker) => text.lastIndexOf(`\n${marker}`) + 1))
  if (start <= 0) return { payload: Buffer.from(bytes), signature: undefined }
  return { payload: Buffer.from(text.slice(0, start), 'latin1'), signature: text.slice(start) }
}
