import { CloudError } from '../errors.ts'
import { textWithin } from '../text-within.ts'

const MAX_BYTES = 1024 * 1024

/** What the interface of a cloud says, as JSON. @param what for messages @throws CloudError */
export async function ask(
  what: string,
  url: string | URL,
  {
    headers,
    method = 'GET',
    signal,
  }: { headers: Record<string, string>; method?: string; signal: AbortSignal },
): Promise<unknown> {
  const response = await send(what, url, { headers, method, redirect: 'error', signal })
  const tooLong = () => new CloudError('LoginFailed', `${what}: the answer is too long`)
  const text = await textWithin(response, MAX_BYTES, tooLong)
  if (!response.ok) throw new CloudError('LoginFailed', `${what} was refused: HTTP ${response.status}`)
  try {
    return JSON.parse(text)
  } catch {
    throw new CloudError('LoginFailed', `${what}: the answer is no JSON`)
  }
}

async function send(what: string, url: string | URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch {
    throw new CloudError('Timeout', `${what}: ${new URL(url).host} did not answer`)
  }
}
