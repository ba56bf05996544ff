import { Agent, request as httpsRequest } from 'node:https'
import type { CloudAnswer, CloudRequest, CloudState } from './cloud-server.ts'

/** An Azure Container Registry: its token exchange, and a registry behind it that takes what the exchange gives. */
export async function answerAcr(state: CloudState, request: CloudRequest): Promise<CloudAnswer | undefined> {
  if (!request.host.endsWith('.azurecr.io')) return undefined
  if (request.path !== '/oauth2/exchange') return forward(state, request)
  const form = new URLSearchParams(request.body)
  state.asked.push(`acr exchange at ${form.get('service')}`)
  if (form.get('grant_type') !== 'access_token' || (form.get('access_token') ?? '') === '')
    return { status: 401, body: { errors: [{ code: 'UNAUTHORIZED' }] } }
  return { status: 200, body: { refresh_token: state.secret ?? 'refresh' } }
}

async function forward({ registry }: CloudState, request: CloudRequest): Promise<CloudAnswer> {
  if (registry === undefined) return { status: 404, body: {} }
  const { host, ...headers } = request.headers
  const url = `https://${registry.host}${request.path}?${request.query}`
  const agent = new Agent(registry.caPem === undefined ? {} : { ca: registry.caPem })
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(url, { method: request.method, headers, agent }, async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk)
      const { 'transfer-encoding': _own, ...kept } = answer.headers
      resolve({
        status: answer.statusCode ?? 502,
        headers: kept as Record<string, string>,
        body: Buffer.concat(chunks),
      })
    })
    sent.once('error', reject)
    sent.end(request.body)
  })
}
