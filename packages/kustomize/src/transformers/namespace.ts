import { BuildError } from '../build-error.ts'
import { type FieldSpec, visitFields } from '../fields/field-spec.ts'
import { describeId, isClusterScoped } from '../resource/id.ts'
import type { Resource } from '../resource/resource.ts'
import { keyOf, type ResourceList } from '../resource/resource-list.ts'
import {
  isList,
  isMap,
  isMissingOrNull,
  isScalar,
  stringValue,
  textOf,
  type Value,
  valueText,
} from '../value.ts'

export interface NamespaceArgs {
  namespace: string
  fieldSpecs: FieldSpec[]
  unsetOnly?: boolean
  setRoleBindingSubjects?: string
}

const subjectModes = ['defaultOnly', 'allServiceAccounts', 'none']

export function checkSubjectMode(mode: string | undefined): void {
  if (mode === undefined || mode === '' || subjectModes.includes(mode)) return
  throw new BuildError('bad-value', `must be one of ${subjectModes.join(', ')}, not '${mode}'`, {
    field: 'setRoleBindingSubjects',
  })
}

/** Puts every namespaced object into one namespace, and the references that go with it. */
export function transformNamespace(list: ResourceList, args: NamespaceArgs): void {
  if (args.namespace === '') return
  const ids = new Map<string, number>()
  const count = (key: string, by: number) => ids.set(key, (ids.get(key) ?? 0) + by)
  for (const resource of list.items) count(keyOf(resource.id), 1)
  for (const resource of list.items) {
    if (resource.isEmpty()) continue
    const before = keyOf(resource.id)
    resource.storePreviousId()
    setNamespace(resource, args)
    const id = resource.id
    const after = keyOf(id)
    count(before, -1)
    count(after, 1)
    if (ids.get(after) !== 1) {
      throw new BuildError(
        'conflict',
        `namespace transformation produces ID conflict: ${describeId(id)}`,
        resource.source,
      )
    }
  }
}

export function setNamespace(resource: Resource, args: NamespaceArgs): void {
  const change = (value: Value | undefined) => newNamespace(value, args)
  if (!isClusterScoped(resource.gvk, resource.scopes)) {
    visitFields(resource, { path: 'metadata/namespace', create: true }, { createKind: 'scalar', change })
  }
  const isBinding = resource.kind === 'RoleBinding' || resource.kind === 'ClusterRoleBinding'
  if (isBinding) setSubjects(resource, args)
  for (const spec of args.fieldSpecs) {
    if (spec.path === 'metadata/namespace') continue
    if (spec.path === 'metadata/name' && resource.apiVersion !== 'v1') continue
    if (isBinding && spec.path === 'subjects/namespace' && /^(Cluster)?RoleBinding$/.test(spec.kind ?? ''))
      continue
    visitFields(resource, spec, { createKind: 'scalar', change })
  }
}

function newNamespace(value: Value | undefined, args: NamespaceArgs): Value {
  if (value !== undefined && !isScalar(value)) {
    throw new BuildError('bad-value', 'namespace field specs must target scalar nodes')
  }
  if (args.unsetOnly === true && value !== undefined && valueText(value) !== '') return value
  return stringValue(args.namespace)
}

function setSubjects(resource: Resource, args: NamespaceArgs): void {
  const mode = args.setRoleBindingSubjects || 'defaultOnly'
  const subjects = resource.object.subjects
  if (mode === 'none' || isMissingOrNull(subjects)) return
  if (!isList(subjects))
    throw new BuildError('bad-value', 'must be a list', { ...resource.source, field: 'subjects' })
  for (const subject of subjects) {
    if (!isMap(subject)) continue
    const chosen =
      mode === 'defaultOnly' ? textOf(subject.name) === 'default' : textOf(subject.kind) === 'ServiceAccount'
    if (chosen) subject.namespace = newNamespace(subject.namespace, args)
  }
}
