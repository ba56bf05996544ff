import {
  formatImage,
  GIT_REPOSITORY,
  type GitRepository,
  IMAGE_POLICY,
  IMAGE_REPOSITORY,
  IMAGE_UPDATE_AUTOMATION,
  type ImagePolicy,
  type ImageRepository,
  type ImageUpdateAutomation,
  type ObjectKey,
  subjects,
} from '@setpoint/contracts'
import { keyOf, type ObjectListener, WatchedObjects } from '@setpoint/kube'
import { keyedBy, type Membership } from '@setpoint/membership'
import type { KeyedQueue } from '@setpoint/reconcile'
import type { ImageContext } from './context.ts'
import { asksForWork, ObjectLoop } from './object-loop.ts'
import { choose, keyOfReference } from './policy/choose.ts'
import { scan } from './scan/scan.ts'
import { Updater } from './update/updater.ts'
import { writerOf } from './update/writer-of.ts'

type Watched =
  | 'repositories'
  | 'policies'
  | 'automations'
  | 'sources'
  | 'scanNow'
  | 'chooseNow'
  | 'tagsChanged'

export interface ImageAutomationOptions extends Omit<ImageContext, Watched> {
  membership: Membership
  concurrentScans: number
  concurrentUpdates: number
  gatherMs: number
  labelSelector: string
}

/** Scans, chooses and updates: what the watches, the hints and the timers say becomes runs of three queues. */
export class ImageAutomation {
  readonly context: ImageContext
  private readonly stopped = new AbortController()
  private readonly scans: ObjectLoop<ImageRepository>
  private readonly choices: ObjectLoop<ImagePolicy>
  private readonly updater: Updater
  private begun = false

  constructor({
    membership,
    concurrentScans,
    concurrentUpdates,
    gatherMs,
    labelSelector,
    ...parts
  }: ImageAutomationOptions) {
    const context = () => this.context
    this.scans = new ObjectLoop({
      kind: IMAGE_REPOSITORY.kind,
      workers: concurrentScans,
      membership,
      context,
      watched: () => this.context.repositories,
      reconcile: (task) => scan(this.context, task),
      onLost: (key) => {
        this.context.tags.forget(key)
        this.context.announcer.leave(scanSubject(key))
      },
      onGone: (key) => this.context.announcer.takeBack(scanSubject(key)),
    })
    this.choices = new ObjectLoop({
      kind: IMAGE_POLICY.kind,
      workers: concurrentScans,
      // Where its tags are known.
      membership: keyedBy(membership, (key) => this.repositoryOf(key)),
      context,
      watched: () => this.context.policies,
      reconcile: (task) => choose(this.context, task),
      onLost: (key) => this.context.announcer.leave(choiceSubject(key)),
      onGone: (key) => this.context.announcer.takeBack(choiceSubject(key)),
    })
    this.updater = new Updater({ context, membership, workers: concurrentUpdates, gatherMs })
    const options = { signal: this.stopped.signal, labelSelector }
    const { kube } = parts
    this.context = {
      ...parts,
      scanNow: (key) => this.askOwner(this.scans, IMAGE_REPOSITORY.kind, key),
      chooseNow: (key) => this.askOwner(this.choices, IMAGE_POLICY.kind, key),
      tagsChanged: (key) => this.chooseFrom(key),
      repositories: new WatchedObjects(
        kube,
        { ...options, gvk: IMAGE_REPOSITORY },
        this.listenToRepositories(),
      ),
      policies: new WatchedObjects(kube, { ...options, gvk: IMAGE_POLICY }, this.listenToPolicies()),
      automations: new WatchedObjects(
        kube,
        { ...options, gvk: IMAGE_UPDATE_AUTOMATION },
        this.listenToAutomations(),
      ),
      sources: new WatchedObjects(
        kube,
        { signal: this.stopped.signal, gvk: GIT_REPOSITORY },
        this.listenToSources(),
      ),
    }
  }

  get queues(): Record<string, KeyedQueue> {
    return {
      imagerepository: this.scans.queue,
      imagepolicy: this.choices.queue,
      imageupdate: this.updater.queue,
    }
  }

  /** Starts to work once it is known what there is. */
  async begin(): Promise<void> {
    const { repositories, policies, automations, sources, mirrors } = this.context
    await Promise.all(
      [repositories, policies, automations, sources].map(({ synced }) => synced.catch(() => undefined)),
    )
    if (this.stopped.signal.aborted) return
    this.begun = true
    await mirrors.keepOnly(
      new Set(automations.list().map((automation) => writerOf(this.context, automation))),
    )
    this.scans.begin()
    this.choices.begin()
    this.updater.begin()
  }

  /** Somebody says that there is news: a hint for one object of a kind. */
  checkNow(kind: string, key: string, traceId: string): void {
    if (!this.begun) return
    const { repositories, policies, automations } = this.context
    if (kind === IMAGE_REPOSITORY.kind && repositories.get(key)) this.scans.checkNow(key, traceId)
    if (kind === IMAGE_POLICY.kind && policies.get(key)) this.choices.checkNow(key, traceId)
    const automation = kind === IMAGE_UPDATE_AUTOMATION.kind ? automations.get(key) : undefined
    if (automation !== undefined) this.updater.checkNow(automation)
  }

  problem(): string | undefined {
    if (!this.begun) return 'the image kinds are not listed yet'
    const { repositories, policies, automations, sources } = this.context
    const isHealthy = [repositories, policies, automations, sources].every(({ healthy }) => healthy)
    return isHealthy ? undefined : 'a watch of the image kinds is interrupted'
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([this.scans, this.choices, this.updater].map((loop) => loop.stop(graceMs)))
    this.context.announcer.stop()
    this.stopped.abort(new Error('the service stops'))
    await this.context.registry[Symbol.asyncDispose]()
  }

  private listenToRepositories(): ObjectListener<ImageRepository> {
    return {
      onUpsert: (key, next, previous) => {
        this.scans.onUpsert(key, next, previous)
        if (previous === undefined || asksForWork(next, previous)) this.chooseFrom(key)
      },
      onDelete: (key) => this.scans.onDelete(key),
      onError: (error) => this.interrupted(IMAGE_REPOSITORY.kind, error),
    }
  }

  private listenToPolicies(): ObjectListener<ImagePolicy> {
    return {
      onUpsert: (key, next, previous) => {
        this.choices.onUpsert(key, next, previous)
        if (imageOf(next) !== imageOf(previous)) this.updater.policyChanged(next.metadata.namespace ?? '')
      },
      onDelete: (key) => this.choices.onDelete(key),
      onError: (error) => this.interrupted(IMAGE_POLICY.kind, error),
    }
  }

  private listenToAutomations(): ObjectListener<ImageUpdateAutomation> {
    return {
      onUpsert: (_key, next, previous) => {
        if (this.begun && (previous === undefined || asksForWork(next, previous))) this.updater.checkNow(next)
      },
      onDelete: (key) => this.context.announcer.takeBack(commitSubject(key)),
      onError: (error) => this.interrupted(IMAGE_UPDATE_AUTOMATION.kind, error),
    }
  }

  private listenToSources(): ObjectListener<GitRepository> {
    return {
      onUpsert: (key, next, previous) => {
        if (!this.begun || next.metadata.generation === previous?.metadata.generation) return
        for (const automation of this.context.automations.list()) {
          const { namespace = automation.metadata.namespace, name } = automation.spec.sourceRef
          if (`${namespace}/${name}` === key) this.updater.checkNow(automation)
        }
      },
      onError: (error) => this.interrupted(GIT_REPOSITORY.kind, error),
    }
  }

  private chooseFrom(repository: string): void {
    for (const policy of this.context.policies.list())
      if (keyOfReference(policy) === repository) this.choices.checkNow(keyOf(policy))
  }

  /** Asks for a run, also of another replica. */
  private askOwner(loop: { checkNow(key: string): boolean }, kind: string, key: string): void {
    const [namespace = '', name = ''] = key.split('/')
    if (!loop.checkNow(key))
      this.context.bus.hint({ kind, namespace, name }, { requestedBy: 'image-automation' })
  }

  /** The ImageRepository that a policy chooses from; what is gone is its own. */
  private repositoryOf(policyKey: string): string {
    const policy = this.context.policies.get(policyKey)
    return policy === undefined ? policyKey : keyOfReference(policy)
  }

  private interrupted(kind: string, error: unknown): void {
    this.context.log.warn({ kind, reason: String(error) }, 'a watch was interrupted')
  }
}

const scanSubject = (key: string) => subjects.image('scan', objectKey(key))
const choiceSubject = (key: string) => subjects.image('choice', objectKey(key))
const commitSubject = (key: string) => subjects.image('commit', objectKey(key))

function objectKey(key: string): ObjectKey {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name }
}

function imageOf(policy: ImagePolicy | undefined): string {
  const latest = policy?.status?.latestRef
  return latest === undefined ? '' : formatImage(latest)
}
