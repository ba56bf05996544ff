import type { MasterKey, MasterKeyKind } from '@setpoint/sops'

/** One kind of key management service, with credentials for it. */
export interface Provider {
  kind: MasterKeyKind
  /** Who is asked about a key. @throws SopsError when the key is written in no form that it knows. */
  serverOf(key: MasterKey): string
  /** Loads the SDK. On a busy machine that takes longer than a call may. */
  load(): Promise<unknown>
  /** The data key, from one call. */
  decrypt(key: MasterKey, signal: AbortSignal): Promise<Uint8Array>
  /** What a failure says, without anything that may be secret; undefined when there was no answer. */
  refusal(error: unknown): string | undefined
}
