export { AccessError } from './errors.ts'
export { type RegistrySecrets, registryAccessOf } from './registry.ts'
export { type RemoteSettings, remoteOf } from './remote.ts'
export { type SecretValues, secretValues } from './secret-values.ts'
