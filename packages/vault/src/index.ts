export { type VaultOptions, vaultKeys } from './vault-keys.ts'
