import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@setpoint/testkit'
import ssh2 from 'ssh2'
import { expect, test } from 'vitest'
import { parseKnownHosts } from './known-hosts.ts'

const newKey = () => {
  const line = ssh2.utils.generateKeyPairSync('ed25519').public
  return {
    line: line.split(' ').slice(0, 2).join(' '),
    blob: Buffer.from(line.split(' ')[1] ?? '', 'base64'),
  }
}
const [one, two] = [newKey(), newKey()]

const accepts = (text: string, host: string, port: number, { blob }: { blob: Buffer } = one): string => {
  try {
    parseKnownHosts(text).check(host, port, blob)
    return 'accepted'
  } catch (error) {
    return (error as Error).message
  }
}

test.each([
  ['a plain name', `example.com ${one.line}`, 'example.com', 22, true],
  ['a name in other letters', `example.com ${one.line}`, 'EXAMPLE.com', 22, true],
  ['one of several names', `a.example,b.example ${one.line} comment`, 'b.example', 22, true],
  ['a port', `[example.com]:2222 ${one.line}`, 'example.com', 2222, true],
  ['another port', `example.com ${one.line}`, 'example.com', 2222, false],
  ['a wildcard', `*.example.com ${one.line}`, 'git.example.com', 22, true],
  ['a name taken out', `*.example.com,!git.example.com ${one.line}`, 'git.example.com', 22, false],
  ['the second of two keys', `h ${two.line}\nh ${one.line}`, 'h', 22, true],
  ['comments and empty lines', `# x\n\n  h ${one.line}\r\n`, 'h', 22, true],
  ['an IPv6 address', `[::1]:2222 ${one.line}`, '[::1]', 2222, true],
])('%s', (_what, text, host, port, isAccepted) => {
  expect(accepts(text, host, port) === 'accepted').toBe(isAccepted)
})

test('names that ssh-keygen hashed', async () => {
  await using home = await temporaryDirectory('known-hosts')
  const file = join(home.path, 'known_hosts')
  await writeFile(file, `example.com ${one.line}\n[example.com]:2222 ${two.line}\n`)
  execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' })
  const hashed = await readFile(file, 'utf8')
  expect(hashed).not.toContain('example.com')
  expect(accepts(hashed, 'example.com', 22, one)).toBe('accepted')
  expect(accepts(hashed, 'example.com', 2222, two)).toBe('accepted')
  expect(accepts(hashed, 'other.com', 22, one)).toContain('has no key of other.com')
})

test('a revoked key is refused even where another line allows it', () => {
  expect(accepts(`h ${one.line}\n@revoked h ${one.line}`, 'h', 22)).toContain('@revoked')
})

test('a certificate authority is no host key', () => {
  expect(accepts(`@cert-authority h ${one.line}`, 'h', 22)).toContain('not supported')
})

test('a line that is no key is named', () => {
  expect(() => parseKnownHosts(`h ${one.line}\nh ssh-ed25519 nonsense`)).toThrow('line 2 of known_hosts')
})
