/** What a comment `# {"$imagepolicy": "ns:name:tag"}` asks for. */
export interface Marker {
  /** The text of the marker, such as `default:podinfo:tag`. */
  setter: string
  /** `namespace:name`. */
  policy: string
  part: 'image' | 'name' | 'tag' | 'digest'
}

/** A comment that wants to be a marker and is none. */
export class MarkerError extends Error {
  override name = 'MarkerError'
}

const FIELD = '$imagepolicy'
const PARTS: Record<string, Marker['part']> = { name: 'name', tag: 'tag', digest: 'digest' }

/** Reads a comment with its `#`; undefined when it is none of ours. @throws MarkerError */
export function readMarker(comment: string): Marker | undefined {
  const text = comment.replace(/^#/, '').trim()
  if (!text.startsWith('{') || !text.includes(FIELD)) return undefined
  const setter = readSetter(text)
  const [namespace = '', name = '', part, ...more] = setter.split(':')
  const wanted = part === undefined ? 'image' : PARTS[part]
  if (namespace === '' || name === '' || wanted === undefined || more.length > 0)
    throw new MarkerError(
      `the marker "${setter}" is not namespace:policy, with :name, :tag or :digest after it`,
    )
  return { setter, policy: `${namespace}:${name}`, part: wanted }
}

function readSetter(text: string): string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new MarkerError(`the marker is not JSON: ${text.slice(0, 100)}`)
  }
  const setter = typeof value === 'object' && value !== null ? Reflect.get(value, FIELD) : undefined
  if (typeof setter !== 'string')
    throw new MarkerError(`"${FIELD}" must be a text, as in {"${FIELD}": "ns:policy"}`)
  return setter
}
