import { createHash, createHmac } from 'node:crypto'
import { GitError } from '../errors.ts'

/** The host keys that may and must not be accepted. */
export interface KnownHosts {
  /** Key types that are known of a host, such as `ssh-ed25519`, in the order of the lines. */
  keyTypesOf(host: string, port: number): string[]
  /** @throws GitError HostKeyRefused when the key is unknown, another one than before, or revoked */
  check(host: string, port: number, key: Buffer): void
}

interface Line {
  marker: string
  names: string[]
  type: string
  key: Buffer
}

/** Reads lines as OpenSSH does: plain, hashed and wildcard names, `[host]:port`, @revoked. @throws GitError */
export function parseKnownHosts(text: string): KnownHosts {
  const lines = text.split(/\r?\n/).flatMap((line, index) => parseLine(line, index + 1))
  const of = (host: string, port: number) => lines.filter((line) => isFor(line, nameOf(host, port)))
  return {
    keyTypesOf: (host, port) => [
      ...new Set(
        of(host, port)
          .filter(({ marker }) => marker === '')
          .map(({ type }) => type),
      ),
    ],
    check: (host, port, key) => checkKey(of(host, port), nameOf(host, port), key),
  }
}

/** `SHA256:…`, as ssh-keygen -l shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

function checkKey(lines: Line[], name: string, key: Buffer): void {
  const shown = `${typeOf(key)} ${fingerprint(key)}`
  if (lines.some((line) => line.marker === '@revoked' && line.key.equals(key)))
    throw refused(`the host key of ${name} is marked @revoked in known_hosts: ${shown}`)
  const plain = lines.filter(({ marker }) => marker === '')
  if (plain.some((line) => line.key.equals(key))) return
  if (plain.length > 0) throw changed(plain, name, shown)
  const only = lines.some(({ marker }) => marker === '@cert-authority')
    ? '; host certificates (@cert-authority) are not supported'
    : ''
  throw refused(`known_hosts has no key of ${name}, which shows ${shown}${only}`)
}

function changed(known: Line[], name: string, shown: string): GitError {
  const expected = known.map(({ type, key }) => `${type} ${fingerprint(key)}`).join(', ')
  return refused(
    `the host key of ${name} has changed: known_hosts has ${expected}, but the server shows ${shown}; ` +
      'if this is meant to be so, put the new key into known_hosts',
  )
}

function refused(message: string): GitError {
  return new GitError('HostKeyRefused', message)
}

function parseLine(line: string, number: number): Line[] {
  const fields = line.trim().split(/\s+/)
  if (fields[0] === '' || fields[0]?.startsWith('#')) return []
  const marker = fields[0]?.startsWith('@') ? fields.shift() : ''
  const [names, type, encoded] = fields
  const key = Buffer.from(encoded ?? '', 'base64')
  if (names === undefined || type === undefined || typeOf(key) !== type)
    throw new GitError('AuthenticationFailed', `line ${number} of known_hosts is not a host key`)
  return [{ marker: marker ?? '', names: names.split(','), type, key }]
}

/** A key names its own type in its first field. */
function typeOf(key: Buffer): string {
  if (key.length < 4 || key.length < 4 + key.readUInt32BE(0)) return ''
  return key.toString('latin1', 4, 4 + key.readUInt32BE(0))
}

function nameOf(host: string, port: number): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return port === 22 ? bare : `[${bare}]:${port}`
}

/** A name with `!` before it takes the host out again. */
function isFor({ names }: Line, name: string): boolean {
  const negated = names.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1), name))
  return !negated && names.some((pattern) => matches(pattern, name))
}

function matches(pattern: string, name: string): boolean {
  if (pattern.startsWith('|1|')) return matchesHash(pattern, name)
  const escaped = pattern.toLowerCase().replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll(/\*+/g, '.*').replaceAll('?', '.')}$`).test(name)
}

function matchesHash(pattern: string, name: string): boolean {
  const [, , salt = '', hash = ''] = pattern.split('|')
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
}
