import { CloudError } from '../errors.ts'

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
  const text = await textOf(what, response)
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

async function textOf(what: string, response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_BYTES) throw new CloudError('LoginFailed', `${what}: the answer is too long`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
