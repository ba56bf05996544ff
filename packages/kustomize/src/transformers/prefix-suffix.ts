import { type FieldSpec, visitFields } from '../fields/field-spec.ts'
import { type Gvk, isSelected } from '../resource/id.ts'
import type { Resource } from '../resource/resource.ts'
import type { ResourceList } from '../resource/resource-list.ts'
import { overwriteText, requireScalar, textOf } from '../value.ts'

const skipped: Partial<Gvk>[] = [
  { kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', kind: 'APIService' },
  { kind: 'Namespace' },
]

export function addPrefix(list: ResourceList, prefix: string, specs: FieldSpec[]): void {
  rename(
    list,
    specs,
    (text) => prefix + text,
    (resource) => prefix !== '' && resource.prefixes.push(prefix),
  )
}

export function addSuffix(list: ResourceList, suffix: string, specs: FieldSpec[]): void {
  rename(
    list,
    specs,
    (text) => text + suffix,
    (resource) => suffix !== '' && resource.suffixes.push(suffix),
  )
}

function rename(
  list: ResourceList,
  specs: FieldSpec[],
  change: (text: string) => string,
  note: (resource: Resource) => unknown,
): void {
  for (const resource of list.items) {
    const id = resource.originalId
    if (skipped.some((selector) => isSelected(id, selector))) continue
    for (const spec of specs) {
      if (!isSelected(id, spec)) continue
      if (spec.path === 'metadata/name' && note(resource) !== false) resource.storePreviousId()
      visitFields(resource, spec, {
        createKind: 'scalar',
        change: (value) => {
          requireScalar(value)
          return overwriteText(value, change(textOf(value)))
        },
      })
    }
  }
}
