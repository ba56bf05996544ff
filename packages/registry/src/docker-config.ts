import { RegistryError } from './errors.ts'
import { type ImageName, registryOf } from './image-name.ts'

/** A user and a password, a refresh token to get tokens for, or a token that is sent as it is. */
export type RegistryCredentials =
  | { username: string; password: string }
  | { identityToken: string }
  | { registryToken: string }

interface Entry {
  /** Host, may begin with `*.`. */
  host: string
  /** Path below the host that the credentials are for; '' for all of it. */
  path: string
  credentials: RegistryCredentials
}

/** The credentials of one or several Docker configurations, by registry. */
export class Keychain {
  private readonly entries: readonly Entry[]

  constructor(entries: readonly Entry[] = []) {
    this.entries = entries
  }

  /** Both; what is here comes first. */
  with(other: Keychain): Keychain {
    return new Keychain([...this.entries, ...other.entries])
  }

  /** The credentials whose address fits the image best, or undefined. */
  find(image: ImageName): RegistryCredentials | undefined {
    let best: Entry | undefined
    for (const entry of this.entries)
      if (fits(entry, image) && (best === undefined || entry.path.length > best.path.length)) best = entry
    return best?.credentials
  }
}

/**
 * Reads the `.dockerconfigjson` of a Secret.
 * @throws RegistryError InvalidCredentials naming the entry that cannot be used, never its content.
 */
export function parseDockerConfig(text: string): Keychain {
  const auths = objectOf(objectOf(parseJson(text))?.auths)
  if (auths === undefined) throw unusable('has no field "auths"')
  return new Keychain(
    Object.entries(auths).flatMap(([address, value]) => {
      const credentials = readEntry(address, objectOf(value) ?? {})
      return credentials === undefined ? [] : [{ ...readAddress(address), credentials }]
    }),
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unusable('is not JSON')
  }
}

function readEntry(address: string, entry: Record<string, unknown>): RegistryCredentials | undefined {
  const value = (name: string) => {
    const found = entry[name]
    return typeof found === 'string' && found !== '' ? found : undefined
  }
  const [identityToken, registryToken] = [value('identitytoken'), value('registrytoken')]
  if (registryToken !== undefined) return { registryToken }
  if (identityToken !== undefined) return { identityToken }
  const username = value('username')
  if (username !== undefined) return { username, password: value('password') ?? '' }
  const auth = value('auth')
  return auth === undefined ? undefined : readAuth(address, auth)
}

function readAuth(address: string, auth: string): RegistryCredentials {
  const text = Buffer.from(auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1) throw unusable(`has an entry for "${address}" whose "auth" is not base64 of user:password`)
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') }
}

/** `https://index.docker.io/v1/`, `ghcr.io`, `registry.example.com/team`. */
function readAddress(address: string): { host: string; path: string } {
  const [host = '', ...path] = address.replace(/^https?:\/\//i, '').split('/')
  const below = path.filter((part) => part !== '')
  if (/^v[12]$/.test(below[0] ?? '')) below.shift()
  return { host: registryOf(host), path: below.join('/') }
}

function fits({ host, path }: Entry, image: ImageName): boolean {
  const isHost = host.startsWith('*.') ? image.registry.endsWith(host.slice(1)) : host === image.registry
  return isHost && (path === '' || image.repository === path || image.repository.startsWith(`${path}/`))
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function unusable(what: string): RegistryError {
  return new RegistryError('InvalidCredentials', `.dockerconfigjson ${what}`)
}
