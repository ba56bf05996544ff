import { SopsError } from './error.ts'
import type { MasterKey, MasterKeyKind } from './master-key.ts'

/** What SOPS wrote beside the values. */
export interface Metadata {
  /** Any one key of a group opens the group's part of the data key. */
  groups: MasterKey[][]
  /** How many groups are needed when there are several. */
  threshold: number
  mac: string
  lastModified: string
  macOnlyEncrypted: boolean
  rule: Rule
}

/** Which values are encrypted. */
export interface Rule {
  kind:
    | 'unencrypted_suffix'
    | 'encrypted_suffix'
    | 'unencrypted_regex'
    | 'encrypted_regex'
    | 'unencrypted_comment_regex'
    | 'encrypted_comment_regex'
  text: string
}

const KINDS: readonly MasterKeyKind[] = ['kms', 'gcp_kms', 'hckms', 'azure_kv', 'hc_vault', 'pgp', 'age']
const RULES = [
  'unencrypted_suffix',
  'encrypted_suffix',
  'unencrypted_regex',
  'encrypted_regex',
  'unencrypted_comment_regex',
  'encrypted_comment_regex',
] as const

type Fields = Record<string, unknown>

/** Reads the section `sops` of a file or an object, as plain JSON. @throws SopsError BadFile. */
export function readMetadata(section: unknown): Metadata {
  if (!isFields(section)) throw new SopsError('BadFile', 'has no SOPS metadata')
  const groups = groupsOf(section)
  if (groups.length === 0) throw new SopsError('BadFile', 'names no key in its SOPS metadata')
  return {
    groups,
    threshold: Number(section.shamir_threshold ?? 0) || groups.length,
    mac: text(section.mac),
    lastModified: text(section.lastmodified),
    macOnlyEncrypted: section.mac_only_encrypted === true || section.mac_only_encrypted === 'true',
    rule: ruleOf(section),
  }
}

function groupsOf(section: Fields): MasterKey[][] {
  const direct = keysOf(section)
  if (direct.length > 0) return [direct]
  return list(section.key_groups).map(keysOf)
}

function keysOf(section: Fields): MasterKey[] {
  return KINDS.flatMap((kind) =>
    list(section[kind]).map((fields) => ({
      kind,
      encrypted: text(fields.enc),
      fields: texts(fields),
      ...(isFields(fields.context) ? { context: texts(fields.context) } : {}),
    })),
  )
}

function ruleOf(section: Fields): Rule {
  const rules = RULES.filter((kind) => text(section[kind]) !== '')
  if (rules.length > 1)
    throw new SopsError('BadFile', `has more than one rule in its SOPS metadata: ${rules.join(', ')}`)
  const [kind] = rules
  return kind === undefined
    ? { kind: 'unencrypted_suffix', text: '_unencrypted' }
    : { kind, text: text(section[kind]) }
}

function texts(fields: Fields): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, text(value)]))
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : [])
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
