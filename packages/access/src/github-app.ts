import type { GitRepositorySpec } from '@setpoint/contracts'
import type { GitHubApp } from '@setpoint/git'
import { AccessError } from './errors.ts'
import type { SecretValues } from './secret-values.ts'

const KEYS = [
  'githubAppID',
  'githubAppPrivateKey',
  'githubAppInstallationID',
  'githubAppInstallationOwner',
  'githubAppBaseURL',
]

/** The GitHub App that `provider: github` logs in as; undefined for other providers. @throws AccessError */
export function gitHubAppOf(
  spec: GitRepositorySpec,
  secret: SecretValues | undefined,
): GitHubApp | undefined {
  const [appId, privateKey, installationId, owner, baseUrl] = KEYS.map((key) => secret?.get(key))
  if (spec.provider !== 'github') {
    if (appId === undefined) return undefined
    throw misconfigured(`Secret "${secret?.name}" is of a GitHub App, which needs spec.provider: github`)
  }
  if (spec.url.startsWith('ssh:')) throw misconfigured('provider github needs an https URL, not ssh')
  if (appId === undefined || privateKey === undefined)
    throw misconfigured(
      'provider github needs spec.secretRef: a Secret with githubAppID and githubAppPrivateKey',
    )
  if ((installationId === undefined) === (owner === undefined))
    throw misconfigured(
      `Secret "${secret?.name}" needs one of githubAppInstallationID and githubAppInstallationOwner`,
    )
  return {
    appId,
    privateKey,
    ...(installationId === undefined ? {} : { installationId }),
    ...(owner === undefined ? {} : { owner }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
  }
}

function misconfigured(message: string): AccessError {
  return new AccessError('InvalidProvider', message)
}
