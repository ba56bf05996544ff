import type { Kubectl } from '@setpoint/testkit'

/** How many writes the API server has served, by `VERB resource/subresource`. */
export type Writes = Record<string, number>

const WRITING = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE', 'DELETECOLLECTION'])
/** What a cluster writes for itself, whoever runs on it: leases, and answers to questions about identities. */
const HOUSEKEEPING = new Set(['coordination.k8s.io', 'authentication.k8s.io', 'authorization.k8s.io'])

/** Reads the API server's own count of requests. Dry runs are no writes. */
export async function readWrites(kubectl: Kubectl): Promise<Writes> {
  const writes: Writes = {}
  const text = await kubectl('get', '--raw', '/metrics')
  for (const line of text.split('\n')) {
    if (!line.startsWith('apiserver_request_total{')) continue
    const label = labelsOf(line)
    if (!WRITING.has(label('verb')) || label('dry_run') !== '' || HOUSEKEEPING.has(label('group'))) continue
    const name = `${label('verb')} ${[label('resource'), label('subresource')].filter(Boolean).join('/')}`
    writes[name] = (writes[name] ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1))
  }
  return writes
}

/** What was written between two readings. Empty: nothing at all. */
export function writesSince(before: Writes, after: Writes): Writes {
  const differences = Object.entries(after).map(
    ([name, count]) => [name, count - (before[name] ?? 0)] as const,
  )
  return Object.fromEntries(differences.filter(([, count]) => count !== 0))
}

function labelsOf(line: string): (name: string) => string {
  const labels = new Map([...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))
  return (name) => labels.get(name) ?? ''
}
