import { type ServiceDescription, services } from './services.ts'

/** One process of the set: a service, or one of its replicas. */
export interface Member {
  /** `apply`, or `apply-1` when there are several. */
  name: string
  service: ServiceDescription
  /** Its name among the replicas of the service; undefined when it is the only one. */
  replica: string | undefined
}

/** Every service, so many times. */
export function membersOf(replicas: number): Member[] {
  return services.flatMap((service) => replicasOf(service, replicas))
}

function replicasOf(service: ServiceDescription, count: number): Member[] {
  if (count === 1) return [{ name: service.name, service, replica: undefined }]
  const names = Array.from({ length: count }, (_, index) => `${service.name}-${index}`)
  return names.map((name) => ({ name, service, replica: name }))
}
