import { type BuildOutcome, buildSet } from '@setpoint/build'
import { newTraceId } from '@setpoint/bus'
import { type Kustomization, parseInterval, type RenderedMessage } from '@setpoint/contracts'
import type { KubeClient, ReferenceWatch } from '@setpoint/kube'
import type { ParseCache } from '@setpoint/kustomize'
import { jitter, type Result } from '@setpoint/reconcile'
import type { Tracing } from '@setpoint/service'
import type { Logger } from 'pino'
import { takeFingerprints, touched } from './fingerprints.ts'
import { dataReferences, type InputOptions, type Inputs, readInputs } from './inputs.ts'
import { keyOf, requestOf, sourceKey, sourceOf } from './keys.ts'
import type { RenderMetrics } from './metrics.ts'
import type { Publisher } from './publisher.ts'
import type { LastBuild, Results } from './results.ts'
import type { AllSources } from './sources/all-sources.ts'
import type { SourceTree } from './sources/trees.ts'

export interface RendererOptions {
  kube: KubeClient
  log: Logger
  sources: AllSources
  results: Results
  publisher: Publisher
  metrics: RenderMetrics
  tracing: Tracing
  now(): number
  cache: ParseCache
  crossNamespaceRefs: boolean
  references: ReferenceWatch
  inputs: InputOptions
  strictSubstitution: boolean
}

type Content = Pick<RenderedMessage, 'set' | 'problem' | 'originRevision'> & {
  revision: string
  traceId: string
}

/** Renders one Kustomization as it is now, from its source as it is now, and tells apply. */
export class Renderer {
  private readonly options: RendererOptions

  constructor(options: RendererOptions) {
    this.options = options
  }

  async render(kustomization: Kustomization): Promise<Result> {
    if (isNotOurs(kustomization)) return undefined
    const references = dataReferences(kustomization, this.options.inputs)
    this.options.references.set(keyOf(kustomization.metadata), references)
    const content = await this.content(kustomization)
    if (content === undefined) return { requeueAfterMs: SOURCE_RETRY_MS }
    await this.tell(kustomization, content)
    return nextLook(kustomization, content, references.length > 0)
  }

  /** A set or a problem; undefined while the source has yet to speak. */
  private async content(kustomization: Kustomization): Promise<Content | undefined> {
    const source = sourceOf(kustomization)
    const tree = this.options.sources.get(source)
    if (!this.options.crossNamespaceRefs && source.namespace !== kustomization.metadata.namespace) {
      const message = `can't access '${source.kind}/${source.namespace}/${source.name}', cross-namespace references have been blocked`
      return { ...nothing, problem: { reason: 'AccessDenied', message, stalled: true } }
    }
    if (wantsIdentity(kustomization) && !this.options.inputs.keys.objectLevel)
      return { ...nothing, problem: { reason: 'FeatureGateDisabled', message: GATE, stalled: true } }
    if (tree === undefined) return this.withoutTree(kustomization)
    const result = await this.result(kustomization, tree)
    const { revision, originRevision } = tree.message
    const origin = originRevision === undefined ? {} : { originRevision }
    return { ...result, ...origin, revision, traceId: tree.traceId }
  }

  private withoutTree(kustomization: Kustomization): Content | undefined {
    const source = sourceOf(kustomization)
    const message = this.options.sources.problem(source)
    if (message === undefined) return undefined
    return {
      ...nothing,
      traceId: newTraceId(),
      problem: { reason: 'ArtifactFailed', message, stalled: false },
    }
  }

  private async result(kustomization: Kustomization, tree: SourceTree): Promise<LastBuild['result']> {
    const read = await readInputs(this.options.kube, kustomization, this.options.inputs)
    if (typeof read === 'string') return { problem: { reason: 'BuildFailed', message: read, stalled: false } }
    const key = keyOf(kustomization.metadata)
    const inputs = {
      spec: `${kustomization.metadata.uid} ${kustomization.metadata.generation}`,
      data: read.digest,
      source: sourceKey(sourceOf(kustomization)),
    }
    const last = this.options.results.build(key)
    if (last !== undefined && isSame(last, inputs) && !touched(tree.files, last.fingerprints)) {
      this.options.metrics.skipped.inc()
      return last.result
    }
    return this.build(kustomization, tree, read, inputs)
  }

  private async build(
    kustomization: Kustomization,
    tree: SourceTree,
    { variables, decryption }: Inputs,
    inputs: Pick<LastBuild, 'spec' | 'data' | 'source'>,
  ): Promise<LastBuild['result']> {
    const { metrics, results, publisher, cache, now, strictSubstitution: strict } = this.options
    const key = keyOf(kustomization.metadata)
    const startMs = now()
    const start = performance.now()
    const outcome = await buildSet(kustomization, tree.files, { variables, decryption, strict, cache })
    const seconds = (performance.now() - start) / 1000
    metrics.duration.observe(seconds)
    metrics.renders.inc({ result: outcome.problem === undefined ? 'success' : 'failure' })
    this.tellBuilt(key, tree, outcome, { startMs, ms: Math.round(seconds * 1000) })
    const result =
      outcome.set === undefined
        ? { problem: { ...outcome.problem, stalled: false } }
        : { set: await publisher.store(key, outcome.set) }
    // A key service that failed may answer the next time.
    if (outcome.set !== undefined || decryption === undefined)
      results.keepBuild(key, { ...inputs, fingerprints: takeFingerprints(tree.files, outcome.reads), result })
    return result
  }

  private tellBuilt(
    key: string,
    { traceId, message: { revision } }: SourceTree,
    { set, problem }: BuildOutcome,
    { startMs, ms }: { startMs: number; ms: number },
  ): void {
    const objects = set?.objects ?? 0
    this.options.log.info(
      { kustomization: key, traceId, revision, ms, objects, problem: problem?.reason },
      'rendered',
    )
    this.options.tracing.record({
      name: 'kustomize-render.build',
      traceId,
      startMs,
      endMs: startMs + ms,
      attributes: { kustomization: key, revision, objects },
      ...(problem === undefined ? {} : { problem: `${problem.reason}: ${problem.message}` }),
    })
  }

  private async tell(kustomization: Kustomization, { traceId, ...content }: Content): Promise<void> {
    const { namespace = '', name, uid = '', generation = 0 } = kustomization.metadata
    const requestedAt = requestOf(kustomization)
    const message = {
      namespace,
      name,
      uid,
      generation,
      requestedAt,
      source: sourceOf(kustomization),
      ...content,
    }
    await this.options.publisher.publish(keyOf(kustomization.metadata), message, traceId)
  }
}

const SOURCE_RETRY_MS = 30_000
const GATE =
  'to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller (--object-level-workload-identity)'
const nothing = { revision: '', traceId: '' }

const wantsIdentity = ({ spec }: Kustomization): boolean => (spec.decryption?.serviceAccountName ?? '') !== ''

/** Suspended, or on its way out: apply says so by itself. */
function isNotOurs({ spec, metadata }: Kustomization): boolean {
  return spec.suspend === true || metadata.deletionTimestamp !== undefined
}

function isSame(last: LastBuild, inputs: Pick<LastBuild, 'spec' | 'data' | 'source'>): boolean {
  return last.spec === inputs.spec && last.data === inputs.data && last.source === inputs.source
}

/** ConfigMaps and Secrets are watched; a look at the interval is for the case that the watch is not allowed. */
function nextLook(kustomization: Kustomization, content: Content, readsData: boolean): Result {
  const { interval, retryInterval } = kustomization.spec
  if (content.problem !== undefined)
    return { requeueAfterMs: jitter(parseInterval(retryInterval ?? interval)) }
  return readsData ? { requeueAfterMs: jitter(parseInterval(interval)) } : undefined
}
