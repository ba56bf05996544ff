import type {
  Bucket,
  ExternalArtifact,
  GitRepository,
  ImagePolicy,
  ImageRepository,
  ImageUpdateAutomation,
  Kustomization,
  OCIRepository,
} from '@setpoint/contracts'
import { type ManagedObject, readyOf, revisionOf, shortRevision } from '../cluster/managed-object.ts'
import { age } from './age.ts'
import type { Column, Paint } from './table.ts'

const PAINT: Record<string, Paint> = { True: 'green', False: 'red', Unknown: 'yellow' }

/** The columns of `get`: those of the flux CLI, and more with wide. */
export function managedColumns(options: {
  prefix: string
  everywhere: boolean
  wide: boolean
  nowMs: number
}): Column<ManagedObject>[] {
  const { prefix, everywhere, wide, nowMs } = options
  return [
    ...(everywhere ? [namespaceColumn] : []),
    { heading: 'NAME', cell: ({ metadata }) => `${prefix}${metadata.name}` },
    { heading: 'REVISION', cell: (object) => shortRevision(revisionOf(object)) },
    { heading: 'SUSPENDED', cell: ({ spec }) => (spec.suspend ? 'True' : 'False'), paint: suspendedPaint },
    { heading: 'READY', cell: readyText, paint: (object) => PAINT[readyText(object)] },
    ...(wide ? wideColumns(nowMs) : []),
    { heading: 'MESSAGE', cell: (object) => readyOf(object)?.message ?? 'not reconciled yet' },
  ]
}

const namespaceColumn: Column<ManagedObject> = {
  heading: 'NAMESPACE',
  cell: ({ metadata }) => metadata.namespace ?? '',
}

const readyText = (object: ManagedObject): string => readyOf(object)?.status ?? 'Unknown'
const suspendedPaint = ({ spec }: ManagedObject): Paint | undefined => (spec.suspend ? 'yellow' : undefined)

function wideColumns(nowMs: number): Column<ManagedObject>[] {
  return [
    { heading: 'AGE', cell: ({ metadata }) => age(metadata.creationTimestamp, nowMs) },
    { heading: 'CHANGED', cell: (object) => age(readyOf(object)?.lastTransitionTime, nowMs) },
    { heading: 'INTERVAL', cell: ({ spec }) => spec.interval ?? '' },
    { heading: 'FROM', cell: origin },
  ]
}

function placeOf({ spec }: Bucket): string {
  return [spec.endpoint, spec.bucketName, spec.prefix ?? ''].filter((part) => part !== '').join('/')
}

function makerOf({ spec }: ExternalArtifact): string {
  return spec.sourceRef === undefined ? '' : `${spec.sourceRef.kind}/${spec.sourceRef.name}`
}

/** The URL of a source, the source and path of a Kustomization. */
function origin(object: ManagedObject): string {
  if (object.kind === 'GitRepository' || object.kind === 'OCIRepository')
    return (object as unknown as GitRepository | OCIRepository).spec.url
  if (object.kind === 'Bucket') return placeOf(object as unknown as Bucket)
  if (object.kind === 'ExternalArtifact') return makerOf(object as unknown as ExternalArtifact)
  if (object.kind === 'ImageRepository') return (object as unknown as ImageRepository).spec.image
  if (object.kind === 'ImagePolicy') return (object as unknown as ImagePolicy).spec.imageRepositoryRef.name
  if (object.kind === 'ImageUpdateAutomation')
    return (object as unknown as ImageUpdateAutomation).spec.sourceRef.name
  const { sourceRef, path } = (object as unknown as Kustomization).spec
  return `${sourceRef.kind}/${sourceRef.name}:${path ?? './'}`
}
