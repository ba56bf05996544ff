import type { KeyService } from '@setpoint/sops'

/** What spec.decryption brings into a build. */
export interface Decryption {
  services: readonly KeyService[]
  /** Refuse a file that was changed after it was encrypted. */
  checkMac: boolean
  /** Changes when any key does. Not for eyes: who knows the keys can compute it. */
  digest: string
}
