import type { JsonObject, KubeObject } from '@setpoint/manifest'
import { bucketSpec, bucketStatus } from './bucket.ts'
import type { JsonSchema, Schema } from './crd-schema.ts'
import { externalArtifactSpec, externalArtifactStatus } from './external-artifact.ts'
import { gitRepositorySpec, gitRepositoryStatus } from './git-repository.ts'
import { imagePolicySpec, imagePolicyStatus } from './image-policy.ts'
import { imageRepositorySpec, imageRepositoryStatus } from './image-repository.ts'
import { imageUpdateAutomationSpec, imageUpdateAutomationStatus } from './image-update-automation.ts'
import { kustomizationSpec, kustomizationStatus } from './kustomization.ts'
import {
  BUCKET,
  EXTERNAL_ARTIFACT,
  GIT_REPOSITORY,
  IMAGE_POLICY,
  IMAGE_REPOSITORY,
  IMAGE_UPDATE_AUTOMATION,
  KUSTOMIZATION,
  OCI_REPOSITORY,
  SUBSTITUTE_SWITCH,
} from './names.ts'
import { ociRepositorySpec, ociRepositoryStatus } from './oci-repository.ts'

/** The version of the API definitions: that of this package, with a `v`. */
export const CONTRACTS_VERSION = 'v0.1.0'

/** A CustomResourceDefinition, ready to be applied. */
export interface CustomResourceDefinition extends KubeObject {
  spec: JsonObject
}

interface PrinterColumn {
  name: string
  type: 'string' | 'integer' | 'date'
  jsonPath: string
}

interface KindDefinition {
  group: string
  version: string
  kind: string
  plural: string
  shortNames: string[]
  categories: string[]
  description: string
  columns: PrinterColumn[]
  spec: Schema<unknown>
  status: Schema<unknown>
  /** Nobody here reconciles it: its status is its maker's. */
  isMadeByOthers?: boolean
}

/** The definitions of every kind that Setpoint serves, in the order of their names. */
export function customResourceDefinitions(): CustomResourceDefinition[] {
  return [
    bucket,
    externalArtifact,
    gitRepository,
    imagePolicy,
    imageRepository,
    imageUpdateAutomation,
    kustomization,
    ociRepository,
  ].map(customResourceDefinition)
}

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }
const ready: PrinterColumn = {
  name: 'Ready',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
}
const status: PrinterColumn = {
  name: 'Status',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].message',
}

const gitRepository: KindDefinition = {
  ...GIT_REPOSITORY,
  plural: 'gitrepositories',
  shortNames: ['gitrepo'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  description: 'GitRepository watches a Git repository and makes an artifact of its files.',
  columns: [{ name: 'URL', type: 'string', jsonPath: '.spec.url' }, age, ready, status],
  spec: gitRepositorySpec,
  status: gitRepositoryStatus,
}

const bucket: KindDefinition = {
  ...BUCKET,
  plural: 'buckets',
  shortNames: [],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  description: 'Bucket watches a bucket of an object store and makes an artifact of the objects in it.',
  columns: [{ name: 'Endpoint', type: 'string', jsonPath: '.spec.endpoint' }, age, ready, status],
  spec: bucketSpec,
  status: bucketStatus,
}

const externalArtifact: KindDefinition = {
  ...EXTERNAL_ARTIFACT,
  plural: 'externalartifacts',
  shortNames: ['ea'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  description: 'ExternalArtifact holds an artifact that somebody else makes and serves.',
  columns: [age, ready, status, { name: 'Source', type: 'string', jsonPath: '.spec.sourceRef.name' }],
  spec: externalArtifactSpec,
  status: externalArtifactStatus,
  isMadeByOthers: true,
}

const ociRepository: KindDefinition = {
  ...OCI_REPOSITORY,
  plural: 'ocirepositories',
  shortNames: ['ocirepo'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  description: 'OCIRepository watches a repository of a registry and makes an artifact of what is in it.',
  columns: [{ name: 'URL', type: 'string', jsonPath: '.spec.url' }, ready, status, age],
  spec: ociRepositorySpec,
  status: ociRepositoryStatus,
}

const imageRepository: KindDefinition = {
  ...IMAGE_REPOSITORY,
  plural: 'imagerepositories',
  shortNames: ['imgrepo', 'imagerepo'],
  categories: ['all', 'fluxcd', 'fluxcd-images'],
  description: 'ImageRepository scans the tags of one image.',
  columns: [
    { name: 'Image', type: 'string', jsonPath: '.spec.image' },
    { name: 'Tags', type: 'integer', jsonPath: '.status.lastScanResult.tagCount' },
    { name: 'Last scan', type: 'string', jsonPath: '.status.lastScanResult.scanTime' },
    age,
    ready,
    status,
  ],
  spec: imageRepositorySpec,
  status: imageRepositoryStatus,
}

const imagePolicy: KindDefinition = {
  ...IMAGE_POLICY,
  plural: 'imagepolicies',
  shortNames: ['imgpol', 'imagepol'],
  categories: ['all', 'fluxcd', 'fluxcd-images'],
  description: 'ImagePolicy chooses the tag of an image that shall run.',
  columns: [
    { name: 'Image', type: 'string', jsonPath: '.status.latestRef.name' },
    { name: 'Tag', type: 'string', jsonPath: '.status.latestRef.tag' },
    age,
    ready,
    status,
  ],
  spec: imagePolicySpec,
  status: imagePolicyStatus,
}

const imageUpdateAutomation: KindDefinition = {
  ...IMAGE_UPDATE_AUTOMATION,
  plural: 'imageupdateautomations',
  shortNames: ['iua', 'imgupd', 'imgauto'],
  categories: ['all', 'fluxcd', 'fluxcd-images'],
  description: 'ImageUpdateAutomation writes the images that policies chose into a Git repository.',
  columns: [
    { name: 'Last run', type: 'string', jsonPath: '.status.lastAutomationRunTime' },
    age,
    ready,
    status,
  ],
  spec: imageUpdateAutomationSpec,
  status: imageUpdateAutomationStatus,
}

const kustomization: KindDefinition = {
  ...KUSTOMIZATION,
  plural: 'kustomizations',
  shortNames: ['ks'],
  categories: ['all', 'fluxcd', 'fluxcd-appliers'],
  description: 'Kustomization builds the manifests of a source and keeps the cluster to them.',
  columns: [age, ready, status],
  spec: kustomizationSpec,
  status: kustomizationStatus,
}

function customResourceDefinition(definition: KindDefinition): CustomResourceDefinition {
  const { group, kind, plural, shortNames, categories } = definition
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      labels: crdLabels,
      // A Kustomization that manages this definition must not take ${…} in a description for a variable.
      annotations: { [SUBSTITUTE_SWITCH]: 'disabled' },
    },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames, categories },
      versions: [servedVersion(definition)],
    },
  }
}

/**
 * `flux check`, `flux version` and `flux install` read these. They say that this is not Flux, so that `flux install`
 * asks before it takes over, and `flux uninstall`, which deletes all that is part-of flux, leaves it alone.
 */
const crdLabels = {
  'app.kubernetes.io/managed-by': 'setpoint',
  'app.kubernetes.io/part-of': 'setpoint',
  'app.kubernetes.io/version': CONTRACTS_VERSION,
}

function servedVersion(definition: KindDefinition): JsonObject {
  return {
    name: definition.version,
    served: true,
    storage: true,
    additionalPrinterColumns: definition.columns.map((column) => ({ ...column })),
    schema: { openAPIV3Schema: toJson(rootSchema(definition)) },
    subresources: { status: {} },
  }
}

function rootSchema({ description, spec, status, isMadeByOthers = false }: KindDefinition): JsonSchema {
  return {
    description,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { description: 'Version of the API that this object is written in.', type: 'string' },
      kind: { description: 'Kind of this object.', type: 'string' },
      metadata: { type: 'object' },
      spec: spec.json,
      // So that a reader sees at once that nobody has looked at the object yet.
      status: isMadeByOthers ? status.json : { ...status.json, default: { observedGeneration: -1 } },
    },
  }
}

function toJson(schema: JsonSchema): JsonObject {
  return structuredClone(schema) as unknown as JsonObject
}
