import type { GitRepository, Kustomization } from '@setpoint/contracts'
import { describeRef, type KubeObject } from '@setpoint/manifest'
import { type ManagedObject, readyOf } from '../cluster/managed-object.ts'
import { age } from '../output/age.ts'
import { paint } from '../output/table.ts'
import { heldRevision, type Trace } from './trace-object.ts'

interface Style {
  colour: boolean
  nowMs: number
}

type Row = readonly [heading: string, text: string]

/** A trace as blocks of `Heading:  text` lines, the object first, its source last. */
export function printTrace(trace: Trace, style: Style): string {
  const blocks = [objectRows(trace)]
  if (trace.owner !== undefined) blocks.push(kustomizationRows(trace, style))
  if (trace.kustomization !== undefined) blocks.push(sourceRows(trace, trace.kustomization, style))
  const width = Math.max(...blocks.flat().map(([heading]) => heading.length)) + 1
  const print = ([heading, text]: Row) =>
    `${paint(`${heading}:`.padEnd(width), 'bold', style.colour)} ${text}`
  return `${blocks.map((rows) => rows.map(print).join('\n')).join('\n---\n')}\n`
}

function objectRows({ object, owners, owner }: Trace): Row[] {
  return [
    ['Object', describeRef(object)],
    ...owners.map((one): Row => ['Owned by', describeRef(one)]),
    [
      'Status',
      owner === undefined
        ? 'not applied by a Kustomization'
        : `applied by Kustomization/${owner.namespace}/${owner.name}`,
    ],
  ]
}

function kustomizationRows({ owner, kustomization, inInventory }: Trace, style: Style): Row[] {
  if (kustomization === undefined)
    return [
      ['Kustomization', owner?.name ?? ''],
      ['Namespace', owner?.namespace ?? ''],
      ['Status', 'does not exist: the object is an orphan'],
    ]
  const { metadata, spec, status } = kustomization
  return [
    ['Kustomization', metadata.name],
    ['Namespace', metadata.namespace ?? ''],
    ['Path', spec.path ?? './'],
    ['Revision', status?.lastAppliedRevision ?? 'none yet'],
    ...suspendedRow(spec.suspend),
    ['Status', readyText(kustomization, style)],
    ...(inInventory === false
      ? ([['Inventory', 'does not list the object: it was removed from Git, or is not applied yet']] as Row[])
      : []),
  ]
}

function sourceRows({ source }: Trace, kustomization: Kustomization, style: Style): Row[] {
  const { kind, name, namespace } = kustomization.spec.sourceRef
  const rows: Row[] = [
    [kind, name],
    ['Namespace', namespace ?? kustomization.metadata.namespace ?? ''],
  ]
  if (source === undefined) return [...rows, ['Status', 'does not exist']]
  const repository = source as GitRepository
  const held = heldRevision(source)
  const applied = kustomization.status?.lastAppliedRevision ?? ''
  return [
    ...rows,
    ['URL', repository.spec.url],
    ['Revision', held === applied || held === '' ? held || 'none yet' : `${held} (not applied yet)`],
    ...suspendedRow(repository.spec.suspend),
    ['Status', readyText(source, style)],
  ]
}

const suspendedRow = (suspend: boolean | undefined): Row[] => (suspend ? [['Suspended', 'yes']] : [])

function readyText(object: KubeObject, { colour, nowMs }: Style): string {
  const ready = readyOf(object as ManagedObject)
  if (ready === undefined) return 'not reconciled yet'
  const word = { True: 'Ready', False: 'Not ready', Unknown: 'In progress' }[ready.status]
  const tint = { True: 'green', False: 'red', Unknown: 'yellow' } as const
  const since = age(ready.lastTransitionTime, nowMs)
  return `${paint(word, tint[ready.status], colour)} since ${since}: ${ready.message}`
}
