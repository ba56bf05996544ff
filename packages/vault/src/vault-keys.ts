import { type KeyService, type MasterKey, SopsError } from '@setpoint/sops'

export interface VaultOptions {
  token: string
  /** Bound on one call. Default 10,000 ms. */
  timeoutMs?: number
}

/** Data keys by a transit engine: the server that the file names is asked to decrypt, with the token. */
export function vaultKeys({ token, timeoutMs = 10_000 }: VaultOptions): KeyService {
  return {
    kinds: ['hc_vault'],
    decrypt: async (key) => {
      const response = await ask(key, token, timeoutMs)
      if (!response.ok) throw new SopsError('NoKey', `was refused: HTTP ${response.status}`)
      return plaintextOf(await bodyOf(response))
    },
  }
}

async function ask({ encrypted, fields }: MasterKey, token: string, timeoutMs: number): Promise<Response> {
  try {
    return await fetch(urlOf(fields), {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'x-vault-token': token, 'x-vault-request': 'true' },
      body: JSON.stringify({ ciphertext: encrypted }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch {
    throw new SopsError('NoKey', 'could not be asked: its server did not answer')
  }
}

function urlOf(fields: Readonly<Record<string, string>>): URL {
  const { vault_address = '', engine_path = '', key_name = '' } = fields
  const engine = engine_path.split('/').map(encodeURIComponent).join('/')
  const url = new URL(`/v1/${engine}/decrypt/${encodeURIComponent(key_name)}`, vault_address)
  if (!/^https?:$/.test(url.protocol) || url.username !== '') throw new Error('not an address of Vault')
  return url
}

const MAX_BYTES = 64 * 1024

async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_BYTES) throw new SopsError('NoKey', 'sent an answer that is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function plaintextOf(body: string): Uint8Array {
  try {
    const { data } = JSON.parse(body) as { data: { plaintext: string } }
    return Buffer.from(data.plaintext, 'base64')
  } catch {
    throw new SopsError('NoKey', 'sent an answer without a data key')
  }
}
