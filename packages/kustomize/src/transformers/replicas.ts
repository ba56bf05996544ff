import { BuildError } from '../build-error.ts'
import { type FieldSpec, visitFields } from '../fields/field-spec.ts'
import type { Replica } from '../kustomization/types.ts'
import { isSelected } from '../resource/id.ts'
import type { ResourceList } from '../resource/resource-list.ts'
import { requireScalar, SourceText, type Value } from '../value.ts'

/** Sets the count of replicas of the objects of a name. */
export function setReplicas(list: ResourceList, replica: Replica, specs: FieldSpec[]): void {
  let found = false
  for (const spec of specs) {
    for (const resource of list.matchingAnyId((id) => id.name === replica.name && isSelected(id, spec))) {
      found = true
      visitFields(resource, spec, {
        createKind: 'scalar',
        change: (old) => countOver(old, replica.count ?? 0),
      })
    }
  }
  if (found) return
  const kinds = specs.map((spec) => spec.kind).join(', ')
  throw new BuildError('resource-not-found', `no object named '${replica.name}' of the kinds ${kinds}`, {
    field: 'replicas',
  })
}

/** Over a quoted string, a number becomes a string. */
function countOver(old: Value | undefined, count: number): Value {
  requireScalar(old)
  return old !== undefined && SourceText.isQuoted(old) ? SourceText.quoted(String(count)) : count
}
