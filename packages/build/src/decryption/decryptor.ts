import {
  decryptFile,
  type EncryptedFile,
  type Format,
  type Metadata,
  printFile,
  readEncryptedFile,
  recoverDataKey,
  SopsError,
} from '@setpoint/sops'
import type { Decryption } from './decryption.ts'

const NOT_THE_FILE =
  'was not taken from the file as it was encrypted, so that its MAC cannot be checked; --sops-check-mac=false does without'

/** Key services may be far away. */
const ASKED_AT_ONCE = 8
/** Bytes of an encrypted file. */
const MAX_BYTES = 5 * 1024 * 1024

/**
 * Decrypts the texts of one build. Data keys are asked for in between: what needs one that is not known yet is noted,
 * and can be read after `recover`.
 */
export class Decryptor {
  /** What could not be decrypted: place → reason. */
  readonly problems = new Map<string, string>()
  /** A patch was encrypted: what it says may be in any object. */
  openedPatch = false
  private readonly decryption: Decryption
  private readonly dataKeys = new Map<string, Uint8Array>()
  private readonly verified = new Set<string>()
  private readonly wanted = new Map<string, { metadata: Metadata; place: string }>()

  constructor(decryption: Decryption) {
    this.decryption = decryption
  }

  /** Asks for the data keys that were missing. True when there were any. */
  async recover(): Promise<boolean> {
    const wanted = [...this.wanted]
    this.wanted.clear()
    const errors = new Map<string, unknown>()
    const queue = wanted.values()
    const ask = async () => {
      for (const [id, { metadata }] of queue) {
        const asked = recoverDataKey(metadata, this.decryption.services)
        await asked.then(
          (key) => this.dataKeys.set(id, key),
          (error) => errors.set(id, error),
        )
      }
    }
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, ask))
    // In the order of the files, whoever answered first.
    for (const [id, { place }] of wanted) if (errors.has(id)) this.note(place, errors.get(id))
    return wanted.length > 0
  }

  /** The data key; undefined while it has to be asked for. */
  dataKey(metadata: Metadata, place: string): Uint8Array | undefined {
    const id = JSON.stringify(metadata.groups)
    const known = this.dataKeys.get(id)
    if (known === undefined && !this.problems.has(place)) this.wanted.set(id, { metadata, place })
    return known
  }

  /** The plain text; undefined when that is not possible, or not yet. `place` names it in a problem. */
  text(content: Uint8Array, place: string, from: Format, to: Format): Uint8Array | undefined {
    return this.check(place, () => {
      const file = this.decrypted(content, place, from)
      return file && printFile(file, from, to)
    })
  }

  /**
   * Notes a problem when the YAML or JSON file that an object came from was changed since it was encrypted.
   * `id` names file and MAC: each is checked once.
   */
  verify(content: Uint8Array | undefined, place: string, id: string, mac: string): void {
    if (!this.decryption.checkMac || this.verified.has(id)) return
    this.verified.add(id)
    this.check(place, () => {
      if (content === undefined || mac === '' || !Buffer.from(content).includes(mac))
        throw new SopsError('BadMac', NOT_THE_FILE)
      this.decrypted(content, place, 'yaml', mac)
    })
  }

  /** Does something with an encrypted text, and notes why it failed. */
  check<T>(place: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      this.note(place, error)
      return undefined
    }
  }

  private decrypted(
    content: Uint8Array,
    place: string,
    format: Format,
    mac?: string,
  ): EncryptedFile | undefined {
    if (content.length > MAX_BYTES)
      throw new SopsError('BadFile', `has ${content.length} bytes; the limit for encrypted files is 5 MiB`)
    const file = readEncryptedFile(Buffer.from(content).toString(), format, mac)
    const dataKey = this.dataKey(file.metadata, place)
    if (dataKey === undefined) return undefined
    decryptFile(file, dataKey, this.decryption)
    return file
  }

  private note(place: string, error: unknown): void {
    if (!(error instanceof SopsError)) throw error
    this.problems.set(place, error.message)
  }
}
