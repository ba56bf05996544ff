import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isLinkLocal, refusal } from '@setpoint/link-local'
import { GitError } from './errors.ts'

/** Clouds hand out credentials on link-local addresses; no Git server lives there. @throws GitError */
export function refuseLinkLocal(host: string): void {
  if (!isLinkLocal(host)) return
  throw new GitError('AddressRefused', refusal(host))
}

/** Resolves a name, and refuses one that leads to a link-local address. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, options, (error, found, family) => {
    if (error) return callback(error, found, family)
    try {
      for (const each of Array.isArray(found) ? found : [{ address: found }]) refuseLinkLocal(each.address)
      callback(null, found, family)
    } catch (refusal) {
      callback(refusal as Error, [])
    }
  })
}
