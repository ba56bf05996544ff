import type { Usage } from './environment.ts'

export const cpuSecondsOf = ({ services }: Usage): number =>
  services.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)

/** Each one's own peak, added up: more than was ever held, for what they share is in it more than once. */
export const sumOfPeaksMib = ({ services }: Usage): number =>
  services.reduce((sum, { peakMib }) => sum + peakMib, 0)

/** API requests, all but those that go on for ever. */
export const requestsOf = ({ apiRequests }: Usage): number =>
  Object.entries(apiRequests).reduce((sum, [verb, count]) => (verb === 'WATCH' ? sum : sum + count), 0)

const WRITE_VERBS = ['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE']

export const writesOf = ({ apiRequests }: Usage): number =>
  WRITE_VERBS.reduce((sum, verb) => sum + (apiRequests[verb] ?? 0), 0)

/** Their peaks are those of the last one. */
export function sumOf(all: readonly Usage[]): Usage {
  const none: Usage = { services: [], togetherMib: 0, apiRequests: {}, busBytes: 0 }
  return all.reduce((sum, one) => {
    const apiRequests = { ...sum.apiRequests }
    for (const [verb, count] of Object.entries(one.apiRequests))
      apiRequests[verb] = (apiRequests[verb] ?? 0) + count
    const services = one.services.map((service) => {
      const before = sum.services.find(({ name }) => name === service.name)
      return { ...service, cpuSeconds: service.cpuSeconds + (before?.cpuSeconds ?? 0) }
    })
    return { services, togetherMib: one.togetherMib, apiRequests, busBytes: sum.busBytes + one.busBytes }
  }, none)
}

/** What was used between two looks; peaks are those of the later one. */
export function difference(before: Usage, after: Usage): Usage {
  const minus = (a: Record<string, number>, b: Record<string, number>) =>
    Object.fromEntries(
      Object.entries(a)
        .map(([key, value]) => [key, value - (b[key] ?? 0)])
        .filter(([, value]) => value !== 0),
    )
  return {
    services: after.services.map((service) => ({
      ...service,
      cpuSeconds:
        service.cpuSeconds - (before.services.find(({ name }) => name === service.name)?.cpuSeconds ?? 0),
    })),
    togetherMib: after.togetherMib,
    apiRequests: minus(after.apiRequests, before.apiRequests) as Record<string, number>,
    busBytes: after.busBytes - before.busBytes,
  }
}
