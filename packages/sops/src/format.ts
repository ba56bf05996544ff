/** `binary` is a JSON file with the content under the one key `data`. */
export type Format = 'yaml' | 'json' | 'dotenv' | 'ini' | 'binary'

/** By the end of the name, as SOPS tells them. */
export function formatForPath(path: string): Format {
  if (/\.ya?ml$/.test(path)) return 'yaml'
  if (path.endsWith('.json') || path.endsWith('.dockerconfigjson')) return 'json'
  if (path.endsWith('.env')) return 'dotenv'
  return path.endsWith('.ini') ? 'ini' : 'binary'
}

const JSON_MARKER = /"mac":\s*"ENC\[/
const MARKERS: Record<Format, RegExp> = {
  binary: JSON_MARKER,
  json: JSON_MARKER,
  yaml: /mac: ENC\[/,
  dotenv: /sops_mac=ENC\[/,
  ini: /\[sops\]/,
}

/** Whether a text looks like an encrypted file of the format. */
export function isEncryptedText(text: string, format: Format): boolean {
  return MARKERS[format].test(text)
}

/** The format of an encrypted file; undefined when it is none. */
export function detectFormat(text: string): Format | undefined {
  return (['yaml', 'json', 'dotenv', 'ini'] as const).find((format) => isEncryptedText(text, format))
}
