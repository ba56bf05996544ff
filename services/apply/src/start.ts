import { KUSTOMIZATION } from '@setpoint/contracts'
import { loadSealingKey, type RunningService, type ServiceContext } from '@setpoint/service'
import { Applier } from './applier.ts'
import type { settings } from './config.ts'
import { countRequests } from './count-requests.ts'
import { applyMetrics } from './metrics.ts'
import { policyOf } from './policy.ts'

/** Starts the service: reads what is there, then works on every change, hint and timer. */
export async function startApply(service: ServiceContext<typeof settings>): Promise<RunningService> {
  const { config, bus, events, log, now, membership } = service
  const metrics = applyMetrics(service.metrics)
  const kube = countRequests(service.kube, metrics.requested)
  const sealingKey = await loadSealingKey(kube, config['sealing-key-secret'])
  const applier = new Applier({
    kube,
    bus,
    events,
    tracing: service.tracing,
    log,
    metrics,
    policy: policyOf(config),
    beforeWrite: service.beforeWrite,
    membership,
    now,
    sealingKey,
    concurrent: config.concurrent,
    parallel: config['concurrent-ssa'],
    checkRequestsPerSecond: config['check-requests-per-second'],
    runDeadlineMs: config['run-deadline-seconds'] * 1_000,
    labelSelector: config['watch-label-selector'],
  })
  const stopHints = bus.onHint(KUSTOMIZATION.kind, (key) => applier.checkNow(`${key.namespace}/${key.name}`))
  bus.onStateLost(() => applier.publishAll())
  void applier.begin()
  return {
    queues: { kustomization: applier.queue, outcome: applier.outcomeQueue },
    problem: () => applier.problem(),
    stop: async (graceMs) => {
      stopHints()
      await applier.stop(graceMs)
    },
  }
}
