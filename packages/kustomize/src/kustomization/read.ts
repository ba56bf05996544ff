import { BuildError, within } from '../build-error.ts'
import type { LoadedFile, Loader } from '../files/loader.ts'
import type { FileParser } from '../parse/file.ts'
import { isMap, type Value } from '../value.ts'
import { decode } from './decode.ts'
import { kustomizationShape } from './fields.ts'
import type { GeneratorArgs, Kustomization } from './types.ts'

/** The names under which kustomize looks for its file. A directory may hold only one of them. */
export const kustomizationFileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const

export interface ReadKustomization {
  kustomization: Kustomization
  /** Path of the file in the tree. */
  file: string
  /** Its name in the directory. */
  fileName: string
}

const version = 'kustomize.config.k8s.io/v1beta1'
const componentVersion = 'kustomize.config.k8s.io/v1alpha1'

/** Reads and checks the kustomization of a directory. */
export function readKustomization(loader: Loader, parser: FileParser): ReadKustomization {
  const { file, fileName } = findKustomization(loader)
  const value = parser.configuration(file)
  const kustomization = within({ file: file.path }, () => knownKustomization(value))
  return { kustomization, file: file.path, fileName }
}

/** A parsed file that is used again has been checked before. */
const checked = new WeakMap<object, Kustomization>()

function knownKustomization(value: Value | undefined): Kustomization {
  if (!isMap(value)) return checkKustomization(value)
  const known = checked.get(value) ?? checkKustomization(value)
  checked.set(value, known)
  return known
}

export function findKustomization(loader: Loader): { file: LoadedFile; fileName: string } {
  const found = kustomizationFileNames.flatMap((fileName) => {
    const file = tryLoad(loader, fileName)
    return file === undefined ? [] : [{ file, fileName }]
  })
  const [first] = found
  if (first === undefined) {
    const names = kustomizationFileNames.join(', ')
    throw new BuildError(
      'kustomization-not-found',
      `no kustomization file (${names}) in '${loader.root || '.'}'`,
      {
        file: loader.root,
      },
    )
  }
  if (found.length === 1) return first
  const names = found.map(({ fileName }) => fileName).join(', ')
  throw new BuildError(
    'conflict',
    `several kustomization files in '${loader.root || '.'}': ${names}; keep one`,
    {
      file: first.file.path,
    },
  )
}

function tryLoad(loader: Loader, name: string): LoadedFile | undefined {
  try {
    return loader.tree.kind(loader.locate(name)) === 'file' ? loader.load(name) : undefined
  } catch (error) {
    if (error instanceof BuildError && error.code !== 'limit-exceeded') return undefined
    throw error
  }
}

/** Decodes a kustomization and brings its old fields into their new places. */
export function checkKustomization(value: Value | undefined): Kustomization {
  const decoded = decode<Kustomization>(value, kustomizationShape, { strict: true, coerce: false }) ?? {}
  const kustomization = withoutOldFields(decoded)
  checkEmpty(kustomization)
  checkType(kustomization)
  return kustomization
}

function withoutOldFields(decoded: Kustomization): Kustomization {
  const { bases, imageTags, ...rest } = decoded
  const kind = rest.kind || 'Kustomization'
  const fixed: Kustomization = {
    ...rest,
    kind,
    apiVersion: rest.apiVersion || (kind === 'Component' ? componentVersion : version),
  }
  if (bases !== undefined) fixed.resources = [...(rest.resources ?? []), ...bases]
  if (imageTags !== undefined) fixed.images = [...(rest.images ?? []), ...imageTags]
  if (rest.configMapGenerator !== undefined)
    fixed.configMapGenerator = rest.configMapGenerator.map(withoutEnv)
  if (rest.secretGenerator !== undefined) fixed.secretGenerator = rest.secretGenerator.map(withoutEnv)
  return fixed
}

/** `env` is the old form of `envs`, in a kustomization file only. */
function withoutEnv({ env = '', ...args }: GeneratorArgs): GeneratorArgs {
  return env === '' ? args : { ...args, envs: [...(args.envs ?? []), env] }
}

function checkEmpty(kustomization: Kustomization): void {
  const { apiVersion: _version, kind: _kind, ...rest } = kustomization
  if (Object.values(rest).some((value) => value !== undefined && value !== '')) return
  throw new BuildError('bad-value', 'the kustomization file is empty')
}

function checkType({ kind, apiVersion }: Kustomization): void {
  if (kind !== 'Kustomization' && kind !== 'Component') {
    throw new BuildError('bad-value', `must be Kustomization or Component, not '${kind}'`, { field: 'kind' })
  }
  const wanted = kind === 'Component' ? componentVersion : version
  if (apiVersion === wanted) return
  throw new BuildError('bad-value', `must be ${wanted} for kind ${kind}, not '${apiVersion}'`, {
    field: 'apiVersion',
  })
}
