import { CloudLogins } from '@setpoint/cloud'
import { KUSTOMIZATION, type Kustomization, renderedMessage, subjects } from '@setpoint/contracts'
import { type Informer, ReferenceWatch, startInformer } from '@setpoint/kube'
import { createParseCache } from '@setpoint/kustomize'
import type { KubeObject } from '@setpoint/manifest'
import { Share } from '@setpoint/membership'
import { CatchUp, KeyedQueue } from '@setpoint/reconcile'
import { loadSealingKey, type RunningService, type ServiceContext } from '@setpoint/service'
import type { settings } from './config.ts'
import { asNoted, mayTouch, touched } from './fingerprints.ts'
import { dependenciesOf, keyOf, requestOf, withSource } from './keys.ts'
import { renderMetrics } from './metrics.ts'
import { Publisher } from './publisher.ts'
import { Renderer } from './renderer.ts'
import { type LastBuild, Results } from './results.ts'
import { AllSources } from './sources/all-sources.ts'
import { ExternalArtifacts } from './sources/external-artifacts.ts'
import { SourceObjects } from './sources/source-objects.ts'
import { Sources } from './sources/sources.ts'
import type { SourceTree } from './sources/trees.ts'

const MIB = 1024 * 1024
const SWEEP_MS = 10 * 60_000
const FETCH_TIMEOUT_MS = 60_000
const MAX_FILES = 500_000
const MAX_DEPTH = 100

/** Wires the watches, the bus and the queue together. Returns when everything that was there is known. */
export async function startRender(context: ServiceContext<typeof settings>): Promise<RunningService> {
  const { bus, kube, log, config, now } = context
  const results = new Results()
  const sealingKey = await loadSealingKey(kube, config['sealing-key-secret'])
  const publisher = new Publisher(bus, sealingKey, results, (key) => historyOf(find(key)))
  await recall(context, results)
  const stopping = new AbortController()
  const warn = (what: string) => (error: unknown) => log.warn({ reason: String(error) }, what)

  let informer: Informer | undefined
  const all = () => (informer?.list() ?? []) as Kustomization[]
  const dependants = (key: string) => withSource(all(), key)
  const find = (key: string) => {
    const [namespace = '', name = ''] = key.split('/')
    return informer?.get(namespace, name) as Kustomization | undefined
  }

  const queue = new KeyedQueue({
    workers: config.concurrent,
    backoff: { minMs: 250, maxMs: 30_000 },
    deadlineMs: 5 * 60_000,
    handle: async (key) => {
      if (!share.has(key)) return undefined
      catchUp.forget(key)
      const kustomization = find(key)
      if (kustomization !== undefined) return renderUnlessLost(key, kustomization)
      const last = results.message(key)
      references.set(key, [])
      if (last !== undefined) await publisher.remove(key, last)
      results.forget(key)
      share.forget(key)
      return undefined
    },
    onError: (key, error, attempt) =>
      log.warn({ key, reason: String(error), attempt }, 'could not render; trying again'),
  })
  const catchUp = new CatchUp({ onDue: (key) => queue.add(key, { priority: 'low' }) })
  const share = new Share({
    membership: context.membership,
    queue,
    keys: () => all().map(({ metadata }) => keyOf(metadata)),
    onLost: (key) => {
      catchUp.forget(key)
      results.forget(key)
      publisher.forget(key)
      references.set(key, [])
    },
    // What the others have read and said must be known before anything is said of theirs.
    prepare: async (keys) => {
      for (const key of keys) results.forget(key)
      await Promise.all([sources.readAgain(), recall(context, results)])
      sourceObjects.listenAnew()
    },
    onTaken: (keys) => {
      log.info({ kustomizations: keys.length }, 'took over')
      for (const key of keys) queue.add(key)
      removeGone()
    },
  })
  /** What a run notes that began before the bus lost its state is not true any more; it has been asked for again by then. */
  const renderUnlessLost = async (key: string, kustomization: Kustomization) => {
    const { epoch } = results
    try {
      return await renderer.render(kustomization)
    } finally {
      if (results.epoch !== epoch) results.forget(key)
    }
  }
  /** Somebody may have died between a Kustomization's end and the end of its message. */
  const removeGone = () => {
    for (const { namespace, name } of results.messages()) {
      const key = keyOf({ namespace, name })
      if (find(key) === undefined) queue.add(key, { priority: 'low' })
    }
  }
  /** Those that a revision touches first, and those that others wait for; the rest only learn the new revision. */
  const lookAgain = (key: string, tree: SourceTree | undefined, before: SourceTree | undefined) => {
    const waitedFor = dependenciesOf(all())
    const differences = before && tree?.files.differences(before.files)
    const noted = differences && asNoted(differences)
    const isUntouched = ({ fingerprints }: LastBuild) => {
      if (tree === undefined) return false
      // The exact look is for the few that may be touched. One that an earlier tree touched is in the queue already.
      if (noted !== undefined && !mayTouch(noted, fingerprints)) return true
      return !touched(tree.files, fingerprints)
    }
    for (const kustomization of dependants(key)) {
      const name = keyOf(kustomization.metadata)
      const last = results.build(name)
      const untouched = last !== undefined && isUntouched(last)
      if (untouched && !waitedFor.has(name)) catchUp.note(name)
      else if (share.has(name)) queue.add(name, { priority: untouched ? 'low' : 'high' })
    }
  }
  const sources = new Sources({
    bus,
    maxBytes: config['max-source-mib'] * MIB,
    onChange: (key, before) => lookAgain(key, sources.get(key), before),
    onError: (key, error) =>
      log.warn({ source: key, reason: String(error) }, 'could not load the files of a source; trying again'),
  })
  const sourceObjects = new SourceObjects(kube, {
    signal: stopping.signal,
    now,
    onChange: (key) => {
      if (sources.get(key) === undefined) for (const one of dependants(key)) queue.add(keyOf(one.metadata))
    },
    onError: warn('cannot watch sources'),
  })
  const externalArtifacts = new ExternalArtifacts(kube, {
    signal: stopping.signal,
    limits: {
      maxBytes: config['max-source-mib'] * MIB,
      maxFiles: MAX_FILES,
      maxDepth: MAX_DEPTH,
      timeoutMs: FETCH_TIMEOUT_MS,
    },
    now,
    isWanted: (key) => dependants(key).length > 0,
    onChange: (key) => lookAgain(key, undefined, undefined),
    onError: warn('cannot follow ExternalArtifacts'),
  })
  const references = new ReferenceWatch(kube, {
    signal: stopping.signal,
    onChange: (key) => queue.add(key, { priority: 'high' }),
    onError: warn('cannot watch ConfigMaps and Secrets'),
  })
  const renderer = new Renderer({
    kube,
    log,
    sources: new AllSources(sources, sourceObjects, externalArtifacts),
    results,
    publisher,
    metrics: renderMetrics(context.metrics),
    tracing: context.tracing,
    now,
    cache: createParseCache({ maxBytes: config['parse-cache-mib'] * MIB }),
    crossNamespaceRefs: !config['no-cross-namespace-refs'],
    references,
    inputs: {
      checkMac: config['sops-check-mac'],
      ageSecret: config['sops-age-secret'],
      keys: {
        clouds: new CloudLogins({ kube, now, objectLevel: config['object-level-workload-identity'] }),
        objectLevel: config['object-level-workload-identity'],
        defaultAccount: config['default-decryption-service-account'],
        vaultConfigMap: config['sops-vault-configmap'],
      },
    },
    strictSubstitution: config['strict-substitution'],
  })
  await Promise.all([sources.caughtUp, sourceObjects.synced(), externalArtifacts.synced])
  informer = startInformer(kube, {
    gvk: KUSTOMIZATION,
    signal: stopping.signal,
    labelSelector: config['watch-label-selector'] || undefined,
    transform: slim,
    onUpsert: (object, previous) => {
      const [next, before] = [object as Kustomization, previous as Kustomization | undefined]
      if (before === undefined || isNews(next, before))
        queue.add(keyOf(object.metadata), { priority: 'high' })
    },
    onDelete: (object) => queue.add(keyOf(object.metadata)),
    onError: warn('cannot watch Kustomizations'),
  })
  await informer.synced
  share.begin()
  for (const message of results.messages())
    queue.add(`${message.namespace}/${message.name}`, { priority: 'low' })

  const stopWatchingLoss = bus.onStateLost(() => {
    results.forgetAll()
    publisher.forgetStored()
    for (const one of all()) queue.add(keyOf(one.metadata))
  })
  const sweeping = setInterval(
    () => publisher.sweep((key) => share.has(key)).catch(warn('could not sweep stored sets')),
    SWEEP_MS,
  )
  sweeping.unref()

  return {
    queues: {
      'kustomize-render': queue,
      'source-trees': sources.queue,
      'external-artifacts': externalArtifacts.queue,
    },
    problem: () =>
      informer?.healthy && sourceObjects.healthy && externalArtifacts.healthy
        ? undefined
        : 'the API server cannot be watched',
    stop: async (graceMs) => {
      clearInterval(sweeping)
      share.stop()
      catchUp.stop()
      stopWatchingLoss()
      await sources.stop(graceMs)
      await externalArtifacts.stop(graceMs)
      await queue.stop(graceMs)
      stopping.abort()
    },
  }
}

/** What we, or another replica, said of our Kustomizations: the same is not said again. */
async function recall(context: ServiceContext<typeof settings>, results: Results): Promise<void> {
  const reading = context.bus.consume({
    type: renderedMessage,
    filter: subjects.all.rendered,
    onMessage: ({ envelope, key }) => {
      const name = keyOf(key)
      if (context.membership.owns(name) && results.message(name) === undefined)
        results.keepMessage(name, envelope.data)
    },
  })
  await reading.caughtUp
  await reading.stop()
}

/** Of the status only the history is needed. */
function slim({ metadata: { managedFields, ...metadata }, status, ...object }: KubeObject): KubeObject {
  const history = (status as Kustomization['status'])?.history?.map(({ digest }) => ({ digest }))
  return { ...object, metadata, ...(history === undefined ? {} : { status: { history } }) } as never
}

function historyOf(kustomization: Kustomization | undefined): string[] {
  return (kustomization?.status?.history ?? []).map(({ digest }) => digest)
}

/** Status writes are no news. */
function isNews(next: Kustomization, before: Kustomization): boolean {
  return (
    next.metadata.generation !== before.metadata.generation ||
    next.metadata.uid !== before.metadata.uid ||
    next.metadata.deletionTimestamp !== before.metadata.deletionTimestamp ||
    requestOf(next) !== requestOf(before)
  )
}
