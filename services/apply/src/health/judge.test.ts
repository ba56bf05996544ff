import type { HealthStatus } from '@setpoint/conditions'
import { expect, test } from 'vitest'
import { judge } from './health.ts'
import type { PendingHealth } from './pending.ts'

function pending(...statuses: HealthStatus[]): PendingHealth {
  const targets = statuses.map((status, index) => {
    const ref = { group: 'apps', kind: 'Deployment', namespace: 'prod', name: `web-${index}` }
    return [
      `${index}`,
      {
        ref,
        version: 'v1',
        ours: true,
        mayVanish: false,
        status,
        message: '',
        resourceVersion: '',
        recheckAfterMs: undefined,
      },
    ] as const
  })
  return {
    digest: 'd',
    generation: 1,
    startedAt: 0,
    runStartedAt: 0,
    deadlineAt: 10_000,
    targets: new Map(targets),
    dirty: new Set(),
    failure: undefined,
  }
}

test.each<[string, HealthStatus[], number, object]>([
  ['all are current', ['Current', 'Current'], 1_000, { state: 'passed', durationMs: 1_000 }],
  ['one is on its way', ['Current', 'InProgress'], 4_000, { state: 'waiting', dueInMs: 6_000 }],
  [
    'one has failed',
    ['InProgress', 'Failed'],
    1_000,
    {
      state: 'failed',
      message:
        "health check failed after 1s: failed early due to stalled resources: [Deployment/prod/web-1 status: 'Failed']",
    },
  ],
  [
    'the time is up',
    ['Current', 'InProgress', 'NotFound'],
    10_000,
    {
      state: 'failed',
      message:
        "health check failed after 10s: timeout waiting for: [Deployment/prod/web-1 status: 'InProgress', Deployment/prod/web-2 status: 'NotFound']",
    },
  ],
])('when %s', (_what, statuses, now, expected) => {
  expect(judge(pending(...statuses), now)).toEqual(expected)
})
