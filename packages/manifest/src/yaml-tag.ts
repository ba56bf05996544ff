import { resolvePlain, type ScalarValue, type YamlDialect } from './yaml-scalar.ts'

/** The value of a scalar with an explicit tag; undefined when the text does not fit the tag. */
export function resolveTagged(tag: string, text: string, dialect: YamlDialect): ScalarValue | undefined {
  const name = shortTag(tag)
  if (name === '!!binary') return decodeBinary(text)
  if (!coreTags.has(name) || name === '!!str') return text
  const value = resolvePlain(text, dialect)
  if (name === '!!null') return value === null ? null : undefined
  if (name === '!!bool') return typeof value === 'boolean' ? value : undefined
  if (name === '!!timestamp') return value
  if (typeof value === 'bigint') return value
  if (typeof value !== 'number') return undefined
  return name === '!!float' || Number.isInteger(value) ? value : undefined
}

const coreTags = new Set(['!!str', '!!null', '!!bool', '!!int', '!!float', '!!timestamp'])
const longPrefix = 'tag:yaml.org,2002:'

function shortTag(tag: string): string {
  const verbatim = tag.startsWith('!<') ? tag.slice(2, -1) : tag
  return verbatim.startsWith(longPrefix) ? `!!${verbatim.slice(longPrefix.length)}` : verbatim
}

function decodeBinary(text: string): string | undefined {
  const packed = text.replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(packed) || packed.length % 4 !== 0) return undefined
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0))
  return new TextDecoder().decode(bytes)
}
