import type { GitRepository, GitRepositoryStatus } from '@setpoint/contracts'
import { expect, test } from 'vitest'
import { sourceProblem } from './source-problem.ts'

const source = { kind: 'GitRepository', namespace: 'apps', name: 'fleet' }
const created = Date.parse('2026-01-01T12:00:00Z')
const started = created - 3_600_000
const problem = (repository: GitRepository | undefined, now: number) =>
  sourceProblem(source, repository, { now, since: started })

function repository(status: GitRepositoryStatus = {}, suspend = false): GitRepository {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', creationTimestamp: new Date(created).toISOString() },
    spec: { interval: '1m', url: 'https://example.com/r', suspend },
    status,
  } as GitRepository
}

test('a source that does not exist is named', () => {
  expect(problem(undefined, created)).toBe("Source 'GitRepository/apps/fleet' not found")
})

test('a new source is waited for in silence, however long the service runs; then the silence is a problem', () => {
  expect(problem(repository(), created + 1_000)).toBeUndefined()
  expect(problem(repository(), created + 61_000)).toContain('has not sent anything: is the source service')
})

test('an artifact that has only just been announced in the status is waited for', () => {
  const at = new Date(created + 600_000).toISOString()
  const status = { artifact: { revision: 'main@sha1:1', lastUpdateTime: at } } as GitRepositoryStatus
  expect(problem(repository(status), created + 601_000)).toBeUndefined()
  expect(problem(repository(status), created + 661_000)).toContain('has not sent main@sha1:1')
})

test('a source that failed, or is suspended before its first look, has no artifact', () => {
  const failed = { conditions: [{ type: 'Ready' }] } as GitRepositoryStatus
  for (const without of [repository(failed), repository({}, true)])
    expect(problem(without, created)).toBe('Source artifact not found, retrying in 30s')
})
