import { readFile } from 'node:fs/promises'
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'

const TIMEOUT_MS = 5_000

/** The status code that a GET answers; with a file of the certificate authority to trust for HTTPS. */
export async function httpStatus(url: string, caFile?: string): Promise<number | undefined> {
  const ca = caFile === undefined ? undefined : await readFile(caFile)
  const get = url.startsWith('https:') ? httpsGet : httpGet
  return new Promise((resolve, reject) => {
    const request = get(url, { ...(ca ? { ca } : {}), agent: false, timeout: TIMEOUT_MS }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.once('timeout', () => request.destroy(new Error(`${url} did not answer in ${TIMEOUT_MS} ms`)))
    request.once('error', reject)
  })
}
