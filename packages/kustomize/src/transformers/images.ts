import { BuildError } from '../build-error.ts'
import { type FieldSpec, visitFields } from '../fields/field-spec.ts'
import type { Image } from '../kustomization/types.ts'
import type { ResourceList } from '../resource/resource-list.ts'
import { compilePattern } from '../resource/selector.ts'
import { isList, isMap, isMissingOrNull, isScalar, overwriteText, textOf, type Value } from '../value.ts'

/** Changes name, tag or digest of the images that have a name. */
export function transformImages(list: ResourceList, image: Image, specs: FieldSpec[]): void {
  const change = imageChange(image)
  for (const resource of list.items) {
    if (resource.kind === 'CustomResourceDefinition') continue
    changeContainers(resource.object, change)
    for (const spec of specs) visitFields(resource, spec, { change: (value) => change(value ?? null) })
  }
}

type Change = (value: Value) => Value

/** Wherever a list named containers or initContainers stands in an object. */
function changeContainers(value: Value, change: Change): void {
  if (isList(value)) {
    for (const item of value) changeContainers(item, change)
    return
  }
  if (!isMap(value)) return
  for (const key in value) {
    const field = value[key] ?? null
    changeContainers(field, change)
    if ((key === 'containers' || key === 'initContainers') && isList(field)) changeList(field, change)
  }
}

function changeList(containers: Value[], change: Change): void {
  for (const container of containers) {
    if (isMissingOrNull(container)) continue
    if (!isMap(container)) throw new BuildError('bad-value', 'a container must be a map')
    const image = container.image
    if (image !== undefined) container.image = change(image)
  }
}

function imageChange(image: Image): Change {
  const { name = '' } = image
  const pattern = compilePattern(
    `^${name}(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`,
    name,
    'images.name',
  )
  return (value) => {
    if (isMissingOrNull(value)) return value
    if (!isScalar(value)) throw new BuildError('bad-value', 'an image must be a string')
    const text = textOf(value)
    return pattern.matcher(text).find() ? overwriteText(value, newImage(text, image)) : value
  }
}

function newImage(text: string, image: Image): string {
  const { newName = '', newTag = '', digest: newDigest = '', tagSuffix = '' } = image
  let { name, tag, digest } = splitImage(text)
  if (newName !== '') name = newName
  if (newTag !== '' || newDigest !== '') {
    tag = newTag
    digest = newDigest
  } else if (tagSuffix !== '') {
    tag += tagSuffix
    digest = ''
  }
  return `${name}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`
}

/** Name, tag and digest of an image; a colon before the last slash belongs to a port. */
export function splitImage(text: string): { name: string; tag: string; digest: string } {
  const slash = Math.max(text.indexOf('/'), 0)
  const at = text.indexOf('@', slash)
  const colon = text.indexOf(':', slash)
  if (at < 0 && colon < 0) return { name: text, tag: '', digest: '' }
  if (at >= 0 && (colon < 0 || at < colon))
    return { name: text.slice(0, at), tag: '', digest: text.slice(at + 1) }
  const end = at < 0 ? text.length : at
  return {
    name: text.slice(0, colon),
    tag: text.slice(colon + 1, end),
    digest: at < 0 ? '' : text.slice(at + 1),
  }
}
