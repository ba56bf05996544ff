import { RegistryError } from './errors.ts'

/** The repository of an image: where it is and what it is called there. */
export interface ImageName {
  /** Host and port of the registry, such as `ghcr.io` or `index.docker.io`. */
  registry: string
  /** Path within the registry, such as `library/nginx`. */
  repository: string
  /** `registry/repository`. */
  canonical: string
}

const DOCKER_HUB = 'index.docker.io'
const DOCKER_HUB_NAMES = new Set(['docker.io', 'registry-1.docker.io', DOCKER_HUB])
const HOST = /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[-.a-zA-Z0-9]*[a-zA-Z0-9])?)(?::\d{1,5})?$/
const REPOSITORY = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/
const MAX_LENGTH = 255

/**
 * Reads `ghcr.io/org/app`, `nginx` or `localhost:5000/app`, as Docker does: what has no host is on Docker Hub.
 * @throws RegistryError InvalidName, saying what to take away.
 */
export function parseImageName(text: string): ImageName {
  const scheme = /^[a-z]+:\/\//i.exec(text)?.[0]
  if (scheme !== undefined) throw invalid(`"${text}" must not begin with a scheme; remove "${scheme}"`)
  if (text.includes('@')) throw invalid(`"${text}" must not hold a digest; remove what begins with "@"`)
  const [first = '', ...rest] = text.split('/')
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  const host = hasHost ? first : DOCKER_HUB
  const path = hasHost ? rest.join('/') : text
  const tag = /:[^/]*$/.exec(path)?.[0]
  if (tag !== undefined) throw invalid(`"${text}" must not hold a tag; remove "${tag}"`)
  if (!HOST.test(host)) throw invalid(`"${host}" is no host of a registry`)
  const registry = DOCKER_HUB_NAMES.has(host) ? DOCKER_HUB : host
  const repository = registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path
  if (!REPOSITORY.test(repository) || repository.length > MAX_LENGTH)
    throw invalid(`"${text}" is no name of an image: small letters, digits, and . _ - / between them`)
  return { registry, repository, canonical: `${registry}/${repository}` }
}

/** Docker Hub has several names, which stand for one registry. */
export function registryOf(host: string): string {
  return DOCKER_HUB_NAMES.has(host) ? DOCKER_HUB : host
}

function invalid(message: string): RegistryError {
  return new RegistryError('InvalidName', message)
}
