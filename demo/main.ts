import { parseArgs } from 'node:util'
import { binary } from '@setpoint/testkit'
import { type Environment, startEnvironment } from './environment.ts'
import { explainFailure } from './explain-failure.ts'
import { type Narrator, narrator as onTerminal } from './narrator.ts'
import { tellStory } from './story.ts'

/**
 * `npm run demo [-- --once --ssh]`: starts a cluster, a Git server and Setpoint on this machine and tells the
 * story of GitOps on them. Exits 0 only when every step was verified against the API server.
 */
const { values } = parseArgs({
  options: { once: { type: 'boolean', default: false }, ssh: { type: 'boolean', default: false } },
})

const interrupted = new Error('interrupted')

interface Wish {
  /** End after the story. */
  once: boolean
  /** Let Setpoint read and write the repository over SSH. */
  ssh: boolean
}

// An interrupted story still polls; nothing of it matters any more.
process.exit(await demo(onTerminal(process.stdout), values))

async function demo(narrator: Narrator, wish: Wish): Promise<number> {
  const stopped = untilSignal()
  const told = tell(narrator, wish, stopped)
  const signal = await Promise.race([told, stopped])
  if (typeof signal === 'number') return signal
  // The environment may be half made: what it has started is ended by the watchdog when this process ends.
  narrator.say(`\n${signal}: stopping`)
  return (await Promise.race([told, patience()])) ?? 130
}

/** A build that is going on is not waited for. */
function patience(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), 10_000).unref())
}

async function tell(narrator: Narrator, { once, ssh }: Wish, stopped: Promise<string>): Promise<number> {
  const start = performance.now()
  let environment: Environment | undefined
  try {
    environment = await startEnvironment(narrator, { ssh })
    await Promise.race([tellStory(environment, narrator), stopped.then(refuse)])
    narrator.heading(`Every step was verified, in ${((performance.now() - start) / 1000).toFixed(1)} s.`)
    if (!once) await play(environment, narrator, stopped)
    return 0
  } catch (error) {
    if (error === interrupted) return 130
    await explainFailure(error, environment, narrator)
    environment?.keepFiles()
    return 1
  } finally {
    await environment?.[Symbol.asyncDispose]()
  }
}

function refuse(): never {
  throw interrupted
}

async function play(environment: Environment, narrator: Narrator, stopped: Promise<string>): Promise<void> {
  const { kubeconfig, repo, copy } = environment
  narrator.heading('It stays up. Play with it from another terminal:')
  const lines = [
    `export KUBECONFIG=${kubeconfig}`,
    `alias kubectl=${await binary('kubectl')}`,
    `git clone ${repo.url}        # or work in ${copy.path}`,
    'bin/setpoint get all          # what Setpoint holds the cluster to',
    'kubectl get deployments -A -w # watch, and push a change of apps/web/base/deployment.yaml',
    'bin/setpoint image why podinfo # which tags the registry has, and which one is taken',
    'kubectl -n staging delete deployment web   # it comes back',
    'bin/setpoint suspend kustomization staging # and now it does not; resume brings it back',
  ]
  for (const line of lines) narrator.say(line)
  narrator.say('')
  narrator.say('Ctrl-C stops everything and removes it.')
  await stopped
}

function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(signal))
  })
}
