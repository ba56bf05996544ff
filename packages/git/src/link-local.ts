import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { GitError } from './errors.ts'

const linkLocal = new BlockList()
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4')
linkLocal.addSubnet('fe80::', 10, 'ipv6')
// Where Amazon keeps the same over IPv6.
linkLocal.addAddress('fd00:ec2::254', 'ipv6')

/** Clouds hand out credentials on link-local addresses; no Git server lives there. @throws GitError */
export function refuseLinkLocal(host: string): void {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(address)
  if (family === 0 || !linkLocal.check(address, family === 6 ? 'ipv6' : 'ipv4')) return
  throw new GitError('AddressRefused', `${host} is a link-local address, which is refused`)
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
