import { describe, expect, it } from 'vitest'
import type { GitRepository, GitRepositorySpec } from './git-repository.ts'
import type { Kustomization, KustomizationSpec } from './kustomization.ts'
import { notImplementedFields } from './not-implemented.ts'

const metadata = { name: 'app', namespace: 'default' }

function repository(spec: Partial<GitRepositorySpec>): GitRepository {
  const required = { url: 'https://example.com/fleet.git', interval: '1m' }
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata,
    spec: { ...required, ...spec },
  }
}

function kustomization(spec: Partial<KustomizationSpec>): Kustomization {
  const sourceRef = { kind: 'GitRepository', name: 'fleet' } as const
  const required = { sourceRef, interval: '1m', prune: true }
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata,
    spec: { ...required, ...spec },
  }
}

describe('notImplementedFields', () => {
  it('names every field when there are several', () => {
    const verify = {
      provider: 'notation',
      trustedRootSecretRef: { name: 'root' },
      secretRef: { name: 'keys' },
    }
    const spec = { url: 'oci://example.com/fleet', interval: '1m', verify }
    const fields = notImplementedFields({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'OCIRepository',
      metadata,
      spec,
    })
    expect(fields).toEqual(['spec.verify.provider', 'spec.verify.secretRef with trustedRootSecretRef'])
  })

  it('takes a field with its default or empty value for unused', () => {
    const plain = { provider: 'generic', include: [], recurseSubmodules: false, sparseCheckout: [] } as const
    expect(notImplementedFields(repository({ ...plain, include: [], sparseCheckout: [] }))).toEqual([])
    expect(
      notImplementedFields(kustomization({ dependsOn: [{ name: 'base' }], serviceAccountName: '' })),
    ).toEqual([])
  })

  it('finds nothing to say of what is built', () => {
    const built: Partial<KustomizationSpec> = {
      kubeConfig: { secretRef: { name: 'other-cluster' } },
      serviceAccountName: 'deployer',
      decryption: { provider: 'sops', serviceAccountName: 'kms' },
      ignore: [{ paths: ['/spec/replicas'] }],
      dependsOn: [{ name: 'db', readyExpr: 'true' }],
      healthCheckExprs: [{ apiVersion: 'example.com/v1', current: 'true' }],
      buildMetadata: ['originAnnotations'],
      images: [{ name: 'web' }],
      patches: [{ patch: '{}' }],
      force: true,
      wait: true,
      timeout: '1m',
    }
    expect(notImplementedFields(kustomization(built))).toEqual([])
  })
})
