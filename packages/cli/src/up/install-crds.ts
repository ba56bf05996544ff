import { setTimeout as delay } from 'node:timers/promises'
import { type CustomResourceDefinition, customResourceDefinitions } from '@setpoint/contracts'
import type { KubeClient } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import { CommandError } from '../errors.ts'

const CRD = { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' }
const FIELD_MANAGER = 'setpoint'
const ESTABLISHED_WITHIN_MS = 30_000

/** Installs or updates the CRDs and waits until the API server serves them. Returns the names that changed. */
export async function installCrds(kube: KubeClient): Promise<string[]> {
  const definitions = customResourceDefinitions()
  const changed = await Promise.all(definitions.map((definition) => install(kube, definition)))
  for (const { metadata } of definitions) await established(kube, metadata.name)
  kube.invalidateDiscovery()
  return definitions.map(({ metadata }) => metadata.name).filter((_name, index) => changed[index])
}

async function install(kube: KubeClient, definition: CustomResourceDefinition): Promise<boolean> {
  const before = await kube.get(CRD, { name: definition.metadata.name })
  const after = await kube.apply(definition, { fieldManager: FIELD_MANAGER })
  return before?.metadata.resourceVersion !== after.metadata.resourceVersion
}

async function established(kube: KubeClient, name: string): Promise<void> {
  for (let waited = 0; waited < ESTABLISHED_WITHIN_MS; waited += 100) {
    if (isEstablished(await kube.get(CRD, { name }))) return
    await delay(100)
  }
  throw new CommandError(
    `the CRD ${name} was not established within ${ESTABLISHED_WITHIN_MS / 1_000} s; see kubectl describe crd ${name}`,
  )
}

/** True when the API server serves the kind. */
export function isEstablished(definition: KubeObject | undefined): boolean {
  const status = definition?.status as { conditions?: { type: string; status: string }[] } | undefined
  return status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false
}
