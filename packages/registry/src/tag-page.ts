import { RegistryError } from './errors.ts'
import type { ImageName } from './image-name.ts'

const TAG = /^[\w][\w.-]{0,127}$/

/** The tags of one page. What is no tag is left out. @throws RegistryError ProtocolError when it is no list of tags. */
export function readTagPage(body: Buffer, image: ImageName): string[] {
  const { tags } = parse(body, image)
  // A repository without tags has null here.
  if (tags === null || tags === undefined) return []
  if (!Array.isArray(tags)) throw wrong(image)
  return tags.filter((tag): tag is string => typeof tag === 'string' && TAG.test(tag))
}

/** The address of the next page, from a Link header; never on another host. @throws RegistryError ProtocolError */
export function nextPage(header: string | string[] | undefined, current: URL): URL | undefined {
  const lines = header === undefined ? [] : Array.isArray(header) ? header : [header]
  const target = lines.map((line) => /<([^>]*)>\s*;[^,]*rel="?next"?/i.exec(line)?.[1]).find((found) => found)
  if (target === undefined) return undefined
  const url = URL.canParse(target, current.href) ? new URL(target, current) : undefined
  if (url === undefined || url.host !== current.host)
    throw new RegistryError(
      'ProtocolError',
      `${current.host} sends to another host for the next page of tags`,
    )
  url.protocol = current.protocol
  return url
}

function parse(body: Buffer, image: ImageName): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw wrong(image)
}

function wrong(image: ImageName): RegistryError {
  return new RegistryError('ProtocolError', `${image.registry} does not answer with a list of tags`)
}
