import { armor, Decrypter } from 'age-encryption'
import { SopsError } from './error.ts'
import type { KeyService } from './master-key.ts'

/**
 * Data keys by age identities, as an identity file lists them.
 * @throws SopsError BadKey naming the line that holds no identity.
 */
export function ageKeys(files: readonly string[]): KeyService {
  const decrypter = new Decrypter()
  const identities = files.flatMap(identitiesOf)
  for (const { identity, line } of identities) addIdentity(decrypter, identity, line)
  return {
    kinds: ['age'],
    async decrypt({ encrypted }) {
      if (identities.length === 0) return undefined
      try {
        return await decrypter.decrypt(armor.decode(encrypted))
      } catch {
        // It does not tell a damaged file from one for somebody else.
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
