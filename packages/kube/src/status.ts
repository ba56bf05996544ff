import { KubeApiError } from './errors.ts'
import type { HttpResponse } from './transport.ts'

/**
 * The server knows neither the kind nor the version of a path: it says 404 in plain text, while a missing object is
 * a Status with the reason NotFound.
 */
export function isUnknownPath(error: unknown): boolean {
  return error instanceof KubeApiError && error.code === 404 && error.reason === ''
}

/** The error of an answer with a status of 400 or above: from the server's Status, else from the little there is. */
export function apiErrorOf(request: { method: string; path: string }, response: HttpResponse): KubeApiError {
  const text = response.body.toString('utf8')
  const status = response.contentType.includes('json') ? parseStatus(text) : undefined
  if (status) return errorOfStatus(status, response.status)
  // A proxy's or an old server's plain text. Its first line only, for it may be a whole page.
  const line = text.trim().split('\n', 1)[0]?.slice(0, 200) ?? ''
  const message = `${request.method} ${request.path}: HTTP ${response.status}${line === '' ? '' : `: ${line}`}`
  return new KubeApiError(message, { code: response.status, reason: reasons[response.status] ?? '' })
}

/** The error that a Status object stands for, such as the one in an ERROR event of a watch. */
export function errorOfStatus(status: Record<string, unknown>, fallbackCode: number): KubeApiError {
  const code = typeof status.code === 'number' ? status.code : fallbackCode
  const reason = typeof status.reason === 'string' ? status.reason : (reasons[code] ?? '')
  const message =
    typeof status.message === 'string' && status.message !== '' ? status.message : `HTTP ${code} ${reason}`
  return new KubeApiError(message, { code, reason, details: status.details })
}

const reasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

function parseStatus(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isStatus =
      typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'Status'
    return isStatus ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
