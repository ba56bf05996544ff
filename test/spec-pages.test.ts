import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bucketSpec,
  bucketStatus,
  externalArtifactSpec,
  externalArtifactStatus,
  gitRepositorySpec,
  gitRepositoryStatus,
  imagePolicySpec,
  imagePolicyStatus,
  imageRepositorySpec,
  imageRepositoryStatus,
  imageUpdateAutomationSpec,
  imageUpdateAutomationStatus,
  kustomizationSpec,
  kustomizationStatus,
  ociRepositoryNotImplemented,
  ociRepositorySpec,
  ociRepositoryStatus,
} from '@setpoint/contracts'
import { describe, expect, it } from 'vitest'

/** docs/spec tells of every field, and of every field that is not built yet. */
const kinds = [
  ['bucket', bucketSpec, bucketStatus, []],
  ['externalartifact', externalArtifactSpec, externalArtifactStatus, []],
  ['gitrepository', gitRepositorySpec, gitRepositoryStatus, []],
  ['imagepolicy', imagePolicySpec, imagePolicyStatus, []],
  ['imagerepository', imageRepositorySpec, imageRepositoryStatus, []],
  ['imageupdateautomation', imageUpdateAutomationSpec, imageUpdateAutomationStatus, []],
  ['kustomization', kustomizationSpec, kustomizationStatus, []],
  ['ocirepository', ociRepositorySpec, ociRepositoryStatus, ociRepositoryNotImplemented],
] as const

describe.each(kinds)('docs/spec/%s.md', (page, spec, status, notImplemented) => {
  const text = readFileSync(join(import.meta.dirname, '../docs/spec', `${page}.md`), 'utf8')
  const fields = { ...spec.json.properties, ...status.json.properties }

  it.each(Object.keys(fields))('has a row for %s', (field) => {
    expect(text).toMatch(new RegExp(`^\\|.*\`${field}\`.*\\|`, 'm'))
  })

  it.each(notImplemented.map(({ field }) => field))('says that %s is not built yet', (field) => {
    expect(text.slice(text.indexOf('## Not built yet'))).toContain(`\`${field}\``)
  })
})
