import type { StoredObject } from '@setpoint/bus'
import { type ArtifactMessage, artifactMessage, type SourceObject } from '@setpoint/contracts'
import type { Membership } from '@setpoint/membership'
import type { Retention } from '../archive/archive-store.ts'
import type { SharedContext } from '../context.ts'
import { subjectOf } from '../message.ts'
import { ARTIFACT_BUCKET } from '../storage/bucket.ts'
import { type Plan, planSweep } from './plan.ts'
import { usedRevisions } from './used-revisions.ts'

interface Watched {
  kind: { gvk: { kind: string } }
  objects: { list(): readonly SourceObject[] }
}

export interface SweeperOptions {
  context: Pick<SharedContext, 'bus' | 'kube' | 'log' | 'now' | 'packs'>
  /** The sources that are known, by kind. */
  kinds: readonly Watched[]
  membership: Membership
  retention: Retention
  intervalMs: number
  /** How long what nothing names is kept. */
  graceMs: number
}

/** The replica that owns this key deletes; the others only forget what will be deleted. */
const KEY = 'sweep'

/** Deletes from time to time what no kept revision of any source needs. */
export class Sweeper {
  private readonly options: SweeperOptions
  private readonly timer: NodeJS.Timeout
  private unneeded: ReadonlySet<string> = new Set()
  private sweeping: Promise<void> | undefined

  constructor(options: SweeperOptions) {
    this.options = options
    this.timer = setInterval(() => void this.sweep(), options.intervalMs)
    this.timer.unref()
  }

  /** Never fails: what could not be swept up now is next time. */
  sweep(): Promise<void> {
    this.sweeping ??= this.run()
      .catch((error: unknown) => {
        this.unneeded = new Set()
        const reason = error instanceof Error ? error.message : String(error)
        this.options.context.log.warn({ reason }, 'nothing was swept up, for it is not known what is needed')
      })
      .finally(() => {
        this.sweeping = undefined
      })
    return this.sweeping
  }

  async stop(): Promise<void> {
    clearInterval(this.timer)
    await this.sweeping
  }

  private async run(): Promise<void> {
    const { context, membership, graceMs } = this.options
    const { bus, log, now, packs } = context
    const plan = await this.plan(await bus.bytes.list(ARTIFACT_BUCKET))
    this.unneeded = plan.unneeded
    const isUnneeded = (digest: string) => plan.unneeded.has(`pack/${digest.slice('sha256:'.length)}`)
    packs.forget(isUnneeded)
    await packs.deleteFiles(now() - graceMs)
    if (plan.remove.length === 0 || !membership.owns(KEY)) return
    for (const { name, storedAt } of plan.remove) await bus.bytes.delete(ARTIFACT_BUCKET, name, storedAt)
    log.info({ objects: plan.remove.length }, 'swept up what no kept revision needs')
  }

  private async plan(objects: StoredObject[]): Promise<Plan> {
    const { context, retention, graceMs } = this.options
    const used = await usedRevisions(context.kube)
    const messages = await this.messages(objects)
    const uids = new Set(this.sources().map(({ object }) => object.metadata.uid ?? ''))
    return planSweep({
      objects,
      newest: new Map([...messages].map(([subject, { revision }]) => [subject, revision])),
      used,
      named: new Set([...messages.values()].flatMap(namesOf)),
      retention,
      now: context.now(),
      graceMs,
      before: this.unneeded,
      isOwn: (directory) => uids.has(directory),
    })
  }

  /** What the bus says of every source that is here or has something stored. */
  private async messages(objects: StoredObject[]): Promise<Map<string, ArtifactMessage>> {
    const { bus } = this.options.context
    const own = this.sources().map(({ of, object }) => subjectOf(of, object))
    const stored = objects.flatMap(({ labels: { subject } }) => subject ?? [])
    const messages = new Map<string, ArtifactMessage>()
    for (const subject of new Set([...own, ...stored])) {
      const message = await bus.last(artifactMessage, subject)
      if (message !== undefined) messages.set(subject, message.data)
    }
    return messages
  }

  private sources(): { of: Watched; object: SourceObject }[] {
    return this.options.kinds.flatMap((of) => of.objects.list().map((object) => ({ of, object })))
  }
}

function namesOf({ tree }: ArtifactMessage): string[] {
  return [tree?.snapshot, tree?.delta, tree?.archive].flatMap((stored) => stored?.object ?? [])
}
