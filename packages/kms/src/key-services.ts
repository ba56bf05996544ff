import { type KeyService, type MasterKeyKind, SopsError } from '@setpoint/sops'
import { type AwsIdentity, awsKms } from './aws/aws-kms.ts'
import { readAwsKeys } from './aws/credentials.ts'
import { readAzureIdentity } from './azure/credentials.ts'
import { type AzureIdentity, azureKeyVault } from './azure/key-vault.ts'
import { readServiceAccountKey } from './gcp/credentials.ts'
import { type GcpIdentity, type GcpOptions, gcpKms } from './gcp/gcp-kms.ts'
import { type Bounds, keyService } from './key-service.ts'
import { type VaultIdentity, vaultTransit } from './vault/vault.ts'

/** Who asks where the decryption Secret holds no credentials for a kind of service. */
export interface Identities {
  kms: AwsIdentity
  azure_kv: AzureIdentity
  gcp_kms: GcpIdentity
  hc_vault: VaultIdentity
}

export type KeyServiceOptions = Bounds & { gcp?: GcpOptions }

const CREDENTIALS: Readonly<Record<string, (value: Uint8Array) => Partial<Identities>>> = {
  'sops.aws-kms': (value) => ({ kms: readAwsKeys(value) }),
  'sops.azure-kv': (value) => ({ azure_kv: readAzureIdentity(value) }),
  'sops.gcp-kms': (value) => ({ gcp_kms: readServiceAccountKey(value) }),
  'sops.vault-token': readToken,
}

/** The credentials that one key of a decryption Secret holds, if it is one for them. @throws SopsError BadKey. */
export function readCredentials(key: string, value: Uint8Array): Partial<Identities> {
  return Object.hasOwn(CREDENTIALS, key) ? (CREDENTIALS[key]?.(value) ?? {}) : {}
}

/** Collects what a decryption Secret holds; what is missing there is asked for as one of the fallbacks. */
export class SecretKeyServices {
  private identities: Partial<Identities>
  private readonly options: KeyServiceOptions

  constructor(fallbacks: Partial<Identities>, options: KeyServiceOptions = {}) {
    this.identities = fallbacks
    this.options = options
  }

  /** Takes a key of the Secret. @throws SopsError BadKey. */
  read(key: string, value: Uint8Array): void {
    this.identities = { ...this.identities, ...readCredentials(key, value) }
  }

  services(): KeyService[] {
    return keyServices(this.identities, this.options)
  }
}

/** The key management services for one build. One without an identity says so when a file needs it. */
export function keyServices(identities: Partial<Identities>, options: KeyServiceOptions = {}): KeyService[] {
  const { kms, azure_kv, gcp_kms, hc_vault } = identities
  return [
    kms === undefined ? without('kms', 'sops.aws-kms') : keyService(awsKms(kms), options),
    azure_kv === undefined
      ? without('azure_kv', 'sops.azure-kv')
      : keyService(azureKeyVault(azure_kv), options),
    gcp_kms === undefined
      ? without('gcp_kms', 'sops.gcp-kms')
      : keyService(gcpKms(gcp_kms, options.gcp), options),
    hc_vault === undefined
      ? without('hc_vault', 'sops.vault-token')
      : keyService(vaultTransit(hc_vault), options),
  ]
}

/** Says what is missing, once a file needs it. */
function without(kind: MasterKeyKind, secretKey: string): KeyService {
  const decrypt = async () => {
    throw new SopsError('NoKey', `needs credentials: put ${secretKey} into the Secret of spec.decryption`)
  }
  return { kinds: [kind], decrypt }
}

/** An empty one is as good as none. */
function readToken(value: Uint8Array): Partial<Identities> {
  const token = Buffer.from(value).toString().trim()
  if (token === '') return {}
  if (/^[\x21-\x7e]+$/.test(token)) return { hc_vault: token }
  throw new SopsError('BadKey', 'is no token of Vault')
}
