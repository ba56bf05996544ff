import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decryptFile, printFile, readEncryptedFile, recoverDataKey } from '@setpoint/sops'
import { sopsEncrypt } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyServices, SecretKeyServices } from '../key-services.ts'

/** Speaks the part of the transit API that sops uses. What it calls encryption is base64. */
let server: Server
let address: string
let encrypted: string

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const [, action, name] = /^\/v1\/transit\/(encrypt|decrypt)\/(\w+)$/.exec(request.url ?? '') ?? []
    const body = JSON.parse(await read(request)) as Record<string, string>
    if (request.headers['x-vault-token'] !== 's.hunter2') return response.writeHead(403).end('{"errors":[]}')
    const data =
      action === 'encrypt'
        ? { ciphertext: `vault:v1:${name}:${body.plaintext}` }
        : { plaintext: body.ciphertext?.split(':')[3] }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const rule = { hc_vault_transit_uri: `${address}/v1/transit/keys/fleet` }
  encrypted = await sopsEncrypt('a.yaml', 'a: secret\n', rule, { VAULT_TOKEN: 's.hunter2' })
})
afterAll(() => server.close())

test('a file that sops encrypted with a key of Vault is decrypted by Vault', async () => {
  expect(await open('s.hunter2')).toBe('a: secret\n')
})

test('a token without the right is an error that names the key and shows no token', async () => {
  const opening = open('s.wrong')
  await expect(opening).rejects.toThrow(`Vault ${address}/v1/transit/keys/fleet was refused: HTTP 403`)
  await expect(opening).rejects.not.toThrow('s.wrong')
})

test('a server that is away is an error that names the key', async () => {
  const away = encrypted.replace(address, 'http://127.0.0.1:1')
  await expect(open('s.hunter2', away)).rejects.toThrow('did not answer')
})

test.each([
  ['an empty token', '\n', 'needs credentials: put sops.vault-token into the Secret of spec.decryption'],
  ['a token with a line break', 'a\nb', 'is no token of Vault'],
])('%s opens nothing', async (_what, token, problem) => {
  const opening = (async () => {
    const all = new SecretKeyServices({})
    all.read('sops.vault-token', Buffer.from(token))
    return recoverDataKey(readEncryptedFile(encrypted, 'yaml').metadata, all.services())
  })()
  await expect(opening).rejects.toThrow(problem)
})

async function open(token: string, text = encrypted): Promise<string> {
  const file = readEncryptedFile(text, 'yaml')
  decryptFile(file, await recoverDataKey(file.metadata, keyServices({ hc_vault: token })), { checkMac: true })
  return Buffer.from(printFile(file, 'yaml', 'yaml')).toString()
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
