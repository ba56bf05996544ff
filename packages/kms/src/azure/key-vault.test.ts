import dns from 'node:dns'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { ageKeys, decryptFile, printFile, readEncryptedFile, recoverDataKey } from '@setpoint/sops'
import {
  AZURE_CLIENT,
  type AzureKeyVault,
  newAgeKey,
  sopsEncrypt,
  startAzureKeyVault,
} from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { SecretKeyServices } from '../key-services.ts'

let azure: AzureKeyVault
let age: { identity: string; recipient: string }
const trusted = getCACertificates('default')

beforeAll(async () => {
  ;[azure, age] = await Promise.all([startAzureKeyVault(), newAgeKey()])
  setDefaultCACertificates([...trusted, azure.caPem])
  const { lookup } = dns
  const here = (name: string, ...rest: unknown[]) =>
    Reflect.apply(lookup, dns, [name.endsWith('.test') ? '127.0.0.1' : name, ...rest])
  vi.spyOn(dns, 'lookup').mockImplementation(here as never)
})
afterAll(async () => {
  vi.restoreAllMocks()
  setDefaultCACertificates(trusted)
  await azure?.[Symbol.asyncDispose]()
})

test('a data key that Key Vault encrypted is decrypted by it, with the client in the Secret', async () => {
  expect(await open(await fileFor('fleet'), secret())).toBe('a: secret\n')
})

test('a client as az prints it, in UTF-16, is as good', async () => {
  const { tenantId: tenant, clientId: appId, clientSecret: password } = AZURE_CLIENT
  const text = `\uFEFF${JSON.stringify({ tenant, appId, password, authorityHost: azure.authorityHost })}`
  expect(await open(await fileFor('fleet'), Buffer.from(text, 'utf16le'))).toBe('a: secret\n')
})

test.each([
  ['forbidden', 'was refused: HTTP 403; the identity needs the right to decrypt with it'],
  ['missing', 'was refused: HTTP 404; no such key in this vault'],
])('a key that is %s is told with its address', async (name, problem) => {
  const opening = open(await fileFor(name), secret())
  await expect(opening).rejects.toThrow(`Azure Key Vault ${azure.vaultUrl}/keys/${name}/v1 ${problem}`)
})

test('a client whose secret is wrong is told by the code of Entra ID, without the secret', async () => {
  const opening = open(await fileFor('fleet'), secret({ clientSecret: 'hunter2' }))
  await expect(opening).rejects.toThrow('Entra ID refused the credentials: AADSTS7000215')
  await expect(opening).rejects.not.toThrow('hunter2')
})

test('a server of somebody else gets no token', async () => {
  const opening = open(await fileFor('fleet', azure.strangerUrl), secret())
  await expect(opening).rejects.toThrow('was not asked: its server is no Key Vault, and gets no token')
})

test('a vault that is away is told', async () => {
  const opening = open(await fileFor('fleet', 'https://away.vault.test:1'), secret())
  await expect(opening).rejects.toThrow('could not be asked: away.vault.test:1 did not answer in time')
})

test.each([
  ['no fields that fit', { clientSecret: 'a' }, 'lacks fields'],
  ['a certificate that is none', { tenantId: 'a', clientId: 'b', clientCertificate: 'c' }, 'that is not PEM'],
  ['an authority without TLS', { ...AZURE_CLIENT, authorityHost: 'http://a' }, 'no https:// address'],
])('a Secret with %s is refused', (_what, value, problem) => {
  expect(() => servicesOf(Buffer.from(JSON.stringify(value)))).toThrow(problem)
})

function secret(changes: object = {}): Buffer {
  return Buffer.from(JSON.stringify({ ...AZURE_CLIENT, authorityHost: azure.authorityHost, ...changes }))
}

/** sops cannot be led to another Entra ID: it encrypts for age, and the same data key is encrypted by the vault. */
async function fileFor(name: string, vaultUrl = azure.vaultUrl): Promise<string> {
  const text = await sopsEncrypt('a.yaml', 'a: secret\n', { age: age.recipient })
  const dataKey = await recoverDataKey(readEncryptedFile(text, 'yaml').metadata, [
    await ageKeys([age.identity]),
  ])
  const key = {
    vault_url: vaultUrl,
    name,
    version: azure.version,
    created_at: '',
    enc: azure.encrypt(dataKey),
  }
  return text.replace(/^ {4}age:[\s\S]*?(?=^ {4}lastmodified)/m, `    azure_kv: [${JSON.stringify(key)}]\n`)
}

function servicesOf(value: Uint8Array) {
  const all = new SecretKeyServices({})
  all.read('sops.azure-kv', value)
  return all.services()
}

async function open(text: string, value: Uint8Array): Promise<string> {
  const file = readEncryptedFile(text, 'yaml')
  decryptFile(file, await recoverDataKey(file.metadata, servicesOf(value)), { checkMac: true })
  return Buffer.from(printFile(file, 'yaml', 'yaml')).toString()
}
