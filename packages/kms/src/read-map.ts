import { parseYaml } from '@setpoint/manifest'
import { SopsError } from '@setpoint/sops'

/** The texts of a map in YAML or JSON, as a key of the decryption Secret holds it. @throws SopsError BadKey. */
export function readMap(value: Uint8Array, what: string): Readonly<Record<string, string>> {
  const { documents, problems } = parseYaml(textOf(value))
  const map = documents[0]?.value
  if (problems.length > 0 || typeof map !== 'object' || map === null || Array.isArray(map))
    throw new SopsError('BadKey', `is no ${what}`)
  const entries = Object.entries(map).filter(([, one]) =>
    ['string', 'number', 'boolean'].includes(typeof one),
  )
  return Object.fromEntries(entries.map(([name, one]) => [name, String(one)]))
}

/** Files that came from Windows may be UTF-16; a byte order mark says so. */
function textOf(value: Uint8Array): string {
  const [first, second] = value
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  return new TextDecoder(encoding).decode(value)
}
