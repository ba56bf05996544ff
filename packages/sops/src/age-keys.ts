import type { Decrypter } from 'age-encryption'
import { SopsError } from './error.ts'
import type { KeyService } from './master-key.ts'

/**
 * Data keys by age identities, as identity files list them.
 * @throws SopsError BadKey naming the line that holds no identity.
 */
export async function ageKeys(files: readonly string[]): Promise<KeyService> {
  const identities = files.flatMap(identitiesOf)
  if (identities.length === 0) return { kinds: ['age'], decrypt: async () => undefined }
  // Large, and most processes never decrypt anything.
  const { armor, Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  for (const { identity, line } of identities) addIdentity(decrypter, identity, line)
  return {
    kinds: ['age'],
    // It does not tell a damaged file from one for somebody else.
    decrypt: async ({ encrypted }) => {
      try {
        return await decrypter.decrypt(armor.decode(encrypted))
      } catch {
        return undefined
      }
    },
  }
}

function identitiesOf(file: string): { identity: string; line: number }[] {
  return file
    .split('\n')
    .map((text, index) => ({ identity: text.trim(), line: index + 1 }))
    .filter(({ identity }) => identity !== '' && !identity.startsWith('#'))
}

function addIdentity(decrypter: Decrypter, identity: string, line: number): void {
  try {
    decrypter.addIdentity(identity)
  } catch {
    throw new SopsError('BadKey', `line ${line} is no age identity (AGE-SECRET-KEY-1…)`)
  }
}
