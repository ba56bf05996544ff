import { textWithin } from '@setpoint/cloud'
import { SopsError } from '@setpoint/sops'

/** Vault answered, and said no. What it says is not quoted. */
export class VaultRefusal extends Error {
  override name = 'VaultRefusal'

  constructor(status: number) {
    super(
      `was refused: HTTP ${status}${status === 403 ? '; the token needs the right to update that path' : ''}`,
    )
  }
}

interface VaultRequest {
  token?: string
  body: object
  signal: AbortSignal
}

/** One write. @throws VaultRefusal; SopsError when the answer is none of Vault's; an error of the network as it is. */
export async function vaultRequest(
  address: URL,
  path: string,
  { token, body, signal }: VaultRequest,
): Promise<unknown> {
  const response = await fetch(new URL(`/v1/${path.split('/').map(encodeURIComponent).join('/')}`, address), {
    method: 'PUT',
    headers: {
      'content-type': 'application/json',
      'x-vault-request': 'true',
      ...(token === undefined ? {} : { 'x-vault-token': token }),
    },
    body: JSON.stringify(body),
    redirect: 'error',
    signal,
  })
  const tooLong = () => new SopsError('NoKey', 'sent an answer that is too long')
  const text = await textWithin(response, MAX_BYTES, tooLong)
  if (!response.ok) throw new VaultRefusal(response.status)
  try {
    return JSON.parse(text)
  } catch {
    throw new SopsError('NoKey', 'sent an answer that is none of Vault')
  }
}

const MAX_BYTES = 64 * 1024
