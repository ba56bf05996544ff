import { CloudError, type CloudProvider, type RegistryLogins } from '@setpoint/cloud'
import type { CallOptions, ImageName, RegistryAccess, RegistryClient } from '@setpoint/registry'

/** The cloud that spec.provider names; undefined for generic and for what is no cloud. */
export function cloudOf({ provider = '' }: { provider?: string }): CloudProvider | undefined {
  return CLOUDS.find((cloud) => cloud === provider)
}

const CLOUDS: readonly CloudProvider[] = ['aws', 'azure', 'gcp']

interface CloudSpec {
  provider?: string
  serviceAccountName?: string
}

/**
 * The same way to a registry, with a login to the cloud that spec.provider names where no Secret gives credentials.
 * @throws CloudError; RegistryError when an Azure registry gives no token
 */
export async function withCloudLogin(
  spec: CloudSpec,
  access: RegistryAccess,
  way: {
    image: ImageName
    namespace: string
    logins: RegistryLogins
    registry: RegistryClient
    call: CallOptions & { signal: AbortSignal }
  },
): Promise<RegistryAccess> {
  const provider = cloudOf(spec)
  if (provider === undefined || access.credentials !== undefined) return access
  const { image, namespace, logins, registry, call } = way
  if (access.insecure === true)
    throw new CloudError('HostRefused', `provider ${provider} needs TLS: remove spec.insecure`)
  refuseForeignServer(spec, access)
  const credentials = await logins.get({
    provider,
    host: image.registry,
    account: accountOf(spec, namespace),
    signal: AbortSignal.any([call.signal, AbortSignal.timeout(call.timeoutMs)]),
    exchange: (token) => registry.exchangeToken(image, token, access, call),
  })
  return { ...access, credentials }
}

/** The ServiceAccount whose identity is used; undefined for that of the service itself. */
export function accountOf({ serviceAccountName = '' }: CloudSpec, namespace: string) {
  return serviceAccountName === '' ? undefined : { namespace, name: serviceAccountName }
}

/**
 * Who brings both a proxy and an authority can be any server, and would be given the credentials of this service.
 * @throws CloudError HostRefused
 */
export function refuseForeignServer(
  spec: CloudSpec,
  { caPem, proxy }: { caPem?: string | undefined; proxy?: object | undefined },
): void {
  if (caPem === undefined || proxy === undefined || accountOf(spec, '') !== undefined) return
  throw new CloudError(
    'HostRefused',
    'the identity of this service is not used with both a proxy and a ca.crt of the object: set spec.serviceAccountName, or leave one of them out',
  )
}
