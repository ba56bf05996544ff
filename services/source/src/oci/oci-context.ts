import type { RegistryLogins } from '@setpoint/cloud'
import type { OCIRepository } from '@setpoint/contracts'
import type { ImageName, RegistryAccess, RegistryClient } from '@setpoint/registry'
import type { SourceContext, Task } from '../context.ts'

/** What OCIRepositories are reconciled with besides. */
export interface OciParts {
  registry: RegistryClient
  registryLogins: RegistryLogins
}

export type OciContext = SourceContext<OCIRepository> & OciParts
export type OciTask = Task<OCIRepository>

/** The repository of a run, and how it is reached. */
export interface Remote {
  image: ImageName
  access: RegistryAccess
  /** Bounds of one call to the registry. */
  call: { timeoutMs: number; signal: AbortSignal }
}
