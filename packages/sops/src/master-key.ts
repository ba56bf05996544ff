/** As the lists of keys are called in SOPS metadata. */
export type MasterKeyKind = 'age' | 'pgp' | 'hc_vault' | 'kms' | 'gcp_kms' | 'azure_kv' | 'hckms'

/** A key that the data key was encrypted with. */
export interface MasterKey {
  kind: MasterKeyKind
  /** The data key, or a part of it, encrypted with this key. */
  encrypted: string
  /** All that SOPS wrote of it. */
  fields: Readonly<Record<string, string>>
  /** The encryption context of a key of AWS KMS. */
  context?: Readonly<Record<string, string>>
}

/** Decrypts data keys, with keys that it holds or by asking a service that does. */
export interface KeyService {
  readonly kinds: readonly MasterKeyKind[]
  /**
   * The data key, or the part of it; undefined when this service does not have the key.
   * @throws SopsError when the service refuses or cannot be reached.
   */
  decrypt(key: MasterKey): Promise<Uint8Array | undefined>
}

/** A key by its public name, for messages. */
export function describeKey({ kind, fields }: MasterKey): string {
  switch (kind) {
    case 'age':
      return `age ${fields.recipient}`
    case 'pgp':
      return `PGP ${fields.fp}`
    case 'kms':
      return `AWS KMS ${fields.arn}`
    case 'gcp_kms':
      return `GCP KMS ${fields.resource_id}`
    case 'azure_kv':
      return `Azure Key Vault ${fields.vault_url}/keys/${fields.name}/${fields.version}`
    case 'hc_vault':
      return `Vault ${fields.vault_address}/v1/${fields.engine_path}/keys/${fields.key_name}`
    case 'hckms':
      return `HuaweiCloud KMS ${fields.key_id}`
  }
}
