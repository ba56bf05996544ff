import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

const linkLocal = new BlockList()
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4')
linkLocal.addSubnet('fe80::', 10, 'ipv6')
// Where Amazon keeps the same over IPv6.
linkLocal.addAddress('fd00:ec2::254', 'ipv6')

/** True for an address, with or without brackets, that is link-local; names are never. */
export function isLinkLocal(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(address)
  return family !== 0 && linkLocal.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** Why a link-local address is not connected to. */
export function refusal(host: string): string {
  return `${host} is a link-local address, which is refused`
}

/** Resolves a name, and refuses one that leads to a link-local address. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, options, (error, found, family) => {
    if (error) return callback(error, found, family)
    const addresses = Array.isArray(found) ? found : [{ address: found }]
    const refused = addresses.find(({ address }) => isLinkLocal(address))
    if (refused === undefined) callback(null, found, family)
    else callback(new Error(refusal(refused.address)), [])
  })
}
