import type { JsonObject } from '@setpoint/manifest'
import { defaultLimits } from './build.ts'
import { BuildError, problemOf, within } from './build-error.ts'
import { Loader } from './files/loader.ts'
import { joinPath } from './files/paths.ts'
import { Tree } from './files/tree.ts'
import { decode } from './kustomization/decode.ts'
import { kustomizationShape } from './kustomization/fields.ts'
import { findKustomization, kustomizationFileNames } from './kustomization/read.ts'
import type { Image, Kustomization, Selector } from './kustomization/types.ts'
import { FileParser } from './parse/file.ts'
import type { FileSource, Limits, Problem } from './types.ts'

/** The fields of a Flux Kustomization that change what is built. */
export interface FluxBuildSpec {
  targetNamespace?: string
  namePrefix?: string
  nameSuffix?: string
  patches?: { patch: string; target?: Selector }[]
  images?: { name: string; newName?: string; newTag?: string; digest?: string }[]
  /** Local relative paths of components. */
  components?: string[]
  ignoreMissingComponents?: boolean
  buildMetadata?: string[]
}

export interface FluxKustomization {
  /** The kustomization to build the path with, for `BuildOptions.overlay`; build with `loadRestrictor: 'none'`. */
  overlay: JsonObject
  /** Paths looked at, absent ones too; a listed directory as `dir/`. Sorted. */
  reads: string[]
  problems: Problem[]
}

/**
 * What Flux makes of a path: its kustomization file, or one that takes in every YAML file below, with the fields
 * of the Kustomization laid over it. commonMetadata is not among them: Flux sets it on the built objects.
 */
export function fluxKustomization(
  files: FileSource,
  path: string,
  spec: FluxBuildSpec,
  limits: Partial<Limits> = {},
): FluxKustomization {
  const tree = new Tree(files, { ...defaultLimits, ...limits })
  try {
    const loader = openPath(tree, path)
    const kustomization = readExisting(loader) ?? generate(loader)
    const overlay = addSpec(kustomization, spec, loader)
    return { overlay: overlay as JsonObject, reads: [...tree.reads].sort(), problems: [] }
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    return { overlay: {}, reads: [...tree.reads].sort(), problems: [problemOf(error)] }
  }
}

function openPath(tree: Tree, path: string): Loader {
  const joined = joinPath('', path)
  const resolved = joined === undefined ? undefined : tree.resolve(joined)
  if (resolved === undefined) throw new BuildError('outside-root', `the path '${path}' leaves the repository`)
  if (tree.kind(resolved) !== 'directory') {
    throw new BuildError(
      'file-not-found',
      `kustomization path not found: '${path}' is not a directory of the source`,
    )
  }
  return new Loader(tree, resolved, false)
}

/** Flux reads the file leniently: fields that it does not know are dropped, numbers are taken for strings. */
function readExisting(loader: Loader): Kustomization | undefined {
  if (!hasKustomization(loader)) return undefined
  const { file } = findKustomization(loader)
  const value = new FileParser(loader.tree, undefined).configuration(file)
  const read = within({ file: file.path }, () =>
    decode<Kustomization>(value, kustomizationShape, { strict: false, coerce: true }),
  )
  return read ?? {}
}

function hasKustomization({ tree, root }: Loader): boolean {
  return kustomizationFileNames.some((name) => tree.kind(joinPath(root, name) ?? '') === 'file')
}

function generate({ tree, root }: Loader): Kustomization {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: findManifests(tree, root, './'),
  }
}

/** Every YAML file below; a directory with a kustomization file stands for itself. In the order of their names. */
function findManifests(tree: Tree, directory: string, prefix: string): string[] {
  return [...tree.list(directory)].sort().flatMap((name) => {
    const path = joinPath(directory, name) ?? name
    if (tree.kind(path) === 'file') return /\.ya?ml$/.test(name) ? [prefix + name] : []
    if (tree.kind(path) !== 'directory') return []
    const isBase = kustomizationFileNames.some((file) => tree.kind(`${path}/${file}`) === 'file')
    return isBase ? [prefix + name] : findManifests(tree, path, `${prefix}${name}/`)
  })
}

function addSpec(kustomization: Kustomization, spec: FluxBuildSpec, loader: Loader): Kustomization {
  const merged: Kustomization = { ...kustomization }
  if (spec.targetNamespace !== undefined) merged.namespace = spec.targetNamespace
  if (spec.namePrefix !== undefined) merged.namePrefix = spec.namePrefix
  if (spec.nameSuffix !== undefined) merged.nameSuffix = spec.nameSuffix
  if (spec.patches !== undefined) merged.patches = [...(merged.patches ?? []), ...spec.patches.map(patchOf)]
  if (spec.images !== undefined) merged.images = mergeImages(merged.images ?? [], spec.images)
  if (spec.components !== undefined) {
    merged.components = [...(merged.components ?? []), ...chooseComponents(spec, loader)]
  }
  if (spec.buildMetadata !== undefined) {
    merged.buildMetadata = [...new Set([...(merged.buildMetadata ?? []), ...spec.buildMetadata])]
  }
  return merged
}

function patchOf({ patch, target }: { patch: string; target?: Selector }): {
  patch: string
  target?: Selector
} {
  return target === undefined ? { patch } : { patch, target }
}

/** An image of the same name keeps what the spec does not say; tag and digest go together. */
function mergeImages(images: Image[], added: Image[]): Image[] {
  const merged = [...images]
  for (const image of added) {
    const at = merged.findIndex(({ name }) => name === image.name)
    if (at < 0) merged.push(image)
    else merged[at] = mergeImage(merged[at] ?? {}, image)
  }
  return merged
}

function mergeImage(old: Image, image: Image): Image {
  const { newTag, digest, ...rest } = old
  const pinned = image.newTag !== undefined || image.digest !== undefined
  return { ...(pinned ? rest : old), ...image }
}

function chooseComponents(
  { components = [], ignoreMissingComponents }: FluxBuildSpec,
  loader: Loader,
): string[] {
  return components.filter((component) => {
    if (component.startsWith('/') || component === '' || component.includes('://')) {
      throw new BuildError('bad-path', `the component path '${component}' must be local and relative`, {
        field: 'spec.components',
      })
    }
    if (ignoreMissingComponents !== true) return true
    const path = joinPath(loader.root, component)
    const resolved = path === undefined ? undefined : loader.tree.resolve(path)
    return resolved !== undefined && loader.tree.kind(resolved) === 'directory'
  })
}
