import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream'
import { nanos, type WithRequired } from '@nats-io/nats-core'
import { subjects } from '@setpoint/contracts'

type NewStream = WithRequired<Partial<StreamConfig>, 'name'>

/** Buckets of the object store: file trees of sources, and sealed rendered sets. */
export type Bucket = 'setpoint-artifact' | 'setpoint-rendered'
export const BUCKETS: readonly Bucket[] = ['setpoint-artifact', 'setpoint-rendered']

const DAY_MS = 24 * 60 * 60 * 1000
const MIB = 1024 * 1024

/**
 * Every stream. State streams keep the last message of each subject, so that who starts late reads the present
 * and a burst of commits costs one render. All are bounded; all can be lost, because Git and Kubernetes are the truth.
 */
export function streamConfigs(replicas: number): NewStream[] {
  const base = {
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    num_replicas: replicas,
    allow_direct: true,
  }
  const state = { ...base, max_msgs_per_subject: 1, max_bytes: 512 * MIB }
  return [
    { ...state, name: 'SETPOINT_ARTIFACT', subjects: [subjects.all.artifact] },
    { ...state, name: 'SETPOINT_RENDERED', subjects: [subjects.all.rendered] },
    { ...state, name: 'SETPOINT_OUTCOME', subjects: [subjects.all.outcome] },
    { ...state, name: 'SETPOINT_IMAGE', subjects: [subjects.all.image], max_bytes: 64 * MIB },
    {
      ...base,
      name: 'SETPOINT_EVENT',
      subjects: [subjects.all.event],
      max_age: nanos(DAY_MS),
      max_bytes: 128 * MIB,
    },
    {
      ...base,
      name: 'SETPOINT_DEAD_LETTER',
      subjects: [subjects.all.deadLetter],
      max_age: nanos(7 * DAY_MS),
      max_bytes: 32 * MIB,
    },
  ]
}

/** The stream that keeps a subject. @throws Error for a subject that no stream keeps. */
export function streamOf(subject: string): string {
  const [, family] = subject.split('.')
  const name = `SETPOINT_${(family ?? '').replaceAll('-', '_').toUpperCase()}`
  if (!STREAM_NAMES.has(name)) throw new Error(`no stream keeps the subject "${subject}"`)
  return name
}

/** The names of all of them. */
export const STREAM_NAMES: ReadonlySet<string> = new Set(streamConfigs(1).map((config) => config.name))

/** Whether only the last message of a subject is kept. */
export function isStateSubject(subject: string): boolean {
  return STATE_STREAMS.has(streamOf(subject))
}

const STATE_STREAMS: ReadonlySet<string> = new Set(
  streamConfigs(1)
    .filter((config) => config.max_msgs_per_subject === 1)
    .map((config) => config.name),
)

/** JetStream's error codes for a subject whose last message is another one than expected. */
export const WRONG_LAST_SEQUENCE: readonly number[] = [10071, 10164]

/** JetStream's error code for a stream that is not there. */
export const STREAM_NOT_FOUND = 10059
