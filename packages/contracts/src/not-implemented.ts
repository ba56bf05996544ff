import type { KubeObject } from '@setpoint/manifest'
import type { OCIRepository } from './oci-repository.ts'

/**
 * Fields of the API whose behaviour is not built yet. To build one, delete its row.
 * Each row says whether an object uses the field; a value equal to the default is no use.
 */
interface MissingField<T> {
  /** Path of the field, as in `kubectl explain`. */
  field: string
  usedBy(object: T): boolean
}

export const ociRepositoryNotImplemented: readonly MissingField<OCIRepository>[] = [
  { field: 'spec.verify.provider', usedBy: ({ spec }) => spec.verify?.provider === 'notation' },
  {
    field: 'spec.verify without secretRef and trustedRootSecretRef',
    usedBy: ({ spec: { verify } }) =>
      verify !== undefined && !isSet(verify.secretRef) && !isSet(verify.trustedRootSecretRef),
  },
  {
    field: 'spec.verify.secretRef with trustedRootSecretRef',
    usedBy: ({ spec: { verify } }) => isSet(verify?.secretRef) && isSet(verify?.trustedRootSecretRef),
  },
]

/**
 * The paths of the fields that an object uses and that are not built yet, such as `spec.decryption`.
 * Empty when there are none. An object with some must be refused with reason NotImplemented, not half obeyed.
 */
export function notImplementedFields(object: KubeObject): string[] {
  switch (object.kind) {
    case 'OCIRepository':
      return usedFields(ociRepositoryNotImplemented, object as OCIRepository)
    default:
      return []
  }
}

function usedFields<T>(table: readonly MissingField<T>[], object: T): string[] {
  return table.filter((row) => row.usedBy(object)).map((row) => row.field)
}

/** Empty strings, empty lists and false mean the same as leaving the field out. */
function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return value !== undefined && value !== null && value !== '' && value !== false
}
