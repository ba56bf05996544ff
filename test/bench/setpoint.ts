import { GIT_REPOSITORY } from '@setpoint/contracts'
import { temporaryDirectory } from '@setpoint/testkit'
import { metric } from './metric.ts'
import { startBus } from './neighbours.ts'
import { NAMESPACE, type StartSystem } from './system.ts'
import { startUp } from './up.ts'

/** `setpoint up` with a nats-server, which counts as a part of it. */
export const startSetpoint: StartSystem = async (stack, { cluster }) => {
  const { nats, bus } = await startBus(stack)
  const home = stack.use(await temporaryDirectory('bench'))
  const { kubeconfig } = cluster
  const { services } = await startUp(stack, { kubeconfig, natsUrl: nats.url, data: home.path })
  const apply = services.find(({ name }) => name === 'apply')
  const hint = async (kind: string, name: string) =>
    bus.hint({ kind, namespace: NAMESPACE, name }, { requestedBy: 'bench' })
  return {
    title: 'Setpoint',
    processes: [...services, { name: 'nats-server', pid: nats.pid }],
    watchesDrift: true,
    hint: () => hint(GIT_REPOSITORY.kind, 'fleet'),
    check: (name) => hint('Kustomization', name),
    checksDone: () => metric(apply?.url ?? '', 'workqueue_finished_total'),
    busBytes: async () => {
      const bytes = services.map(({ url }) => metric(url, 'setpoint_bus_published_bytes_total'))
      return (await Promise.all(bytes)).reduce((sum, one) => sum + one, 0)
    },
  }
}
