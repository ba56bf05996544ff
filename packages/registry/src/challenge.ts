/** What a registry wants to see before it answers. */
export type Challenge =
  | { scheme: 'basic' }
  | { scheme: 'bearer'; realm: string; service: string | undefined; scope: string | undefined }

/** Reads a WWW-Authenticate header; undefined when it asks for neither Basic nor Bearer. Bearer comes first. */
export function parseChallenge(header: string | readonly string[] | undefined): Challenge | undefined {
  const lines = header === undefined ? [] : typeof header === 'string' ? [header] : header
  const challenges = lines.map(readOne)
  return challenges.find((found) => found?.scheme === 'bearer') ?? challenges.find((found) => found)
}

function readOne(line: string): Challenge | undefined {
  const [scheme = ''] = line.trim().split(/\s/, 1)
  if (scheme.toLowerCase() === 'basic') return { scheme: 'basic' }
  if (scheme.toLowerCase() !== 'bearer') return undefined
  const values = new Map<string, string>()
  for (const [, name = '', quoted, plain] of line.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g))
    values.set(name.toLowerCase(), quoted ?? plain ?? '')
  const realm = values.get('realm')
  if (realm === undefined) return undefined
  return { scheme: 'bearer', realm, service: values.get('service'), scope: values.get('scope') }
}
