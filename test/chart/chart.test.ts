import { binary } from '@setpoint/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import { find, lint, type Manifest, render } from './helm.ts'

/** What the chart renders, without a cluster. */

const SERVICES = ['source', 'kustomize-render', 'apply', 'image-automation']

const externalNats = {
  nats: {
    enabled: false,
    external: {
      url: 'tls://nats-1.example.com:4222,tls://nats-2.example.com:4222',
      streamReplicas: 3,
      credentialsSecret: { name: 'nats-credentials' },
      caSecret: { name: 'nats-ca' },
    },
  },
}
const variants: Record<string, object> = {
  defaults: {},
  'external NATS': externalNats,
  'a NATS cluster of three': { nats: { replicas: 3 } },
  'no network policies': { networkPolicy: { enabled: false } },
  'everything set': {
    nameOverride: 'gitops',
    commonLabels: { team: 'platform' },
    image: { registry: 'registry.example.com', tag: 'v9', pullSecrets: [{ name: 'pull' }] },
    source: {
      artifactServiceName: 'source-controller',
      image: { digest: `sha256:${'a'.repeat(64)}` },
      storage: { type: 'persistentVolumeClaim', size: '20Gi', storageClassName: 'fast' },
      serviceAccount: { annotations: { role: 'git-reader' } },
      podAnnotations: { note: 'a' },
      podLabels: { extra: 'b' },
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'gitops', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      priorityClassName: 'system-cluster-critical',
      extraArgs: ['--stop-grace-seconds=5'],
      extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.com' }],
    },
    apply: { clusterRole: '' },
    nats: { storage: { type: 'emptyDir', size: '4Gi' } },
    metrics: { podMonitor: { enabled: true, labels: { release: 'prometheus' } } },
  },
}

beforeAll(async () => void (await binary('helm')), 600_000)

describe.each(Object.entries(variants))('with %s', (_, values) => {
  it('helm lint finds nothing to say', async () => {
    expect(await lint(values)).toContain('0 chart(s) failed')
  })

  it('every Pod is locked down and measured, and rolled unless it must be alone', async () => {
    const objects = await render(values)
    const name = objects.some((object) => object.metadata.name.startsWith('gitops-')) ? 'gitops' : 'setpoint'
    for (const service of SERVICES) {
      const { spec } = find(objects, 'Deployment', `${name}-${service}`)
      const isKept = spec.template.spec.volumes.some(
        (volume: { persistentVolumeClaim?: object }) => volume.persistentVolumeClaim !== undefined,
      )
      expect(spec).toMatchObject({ replicas: 1, strategy: { type: isKept ? 'Recreate' : 'RollingUpdate' } })
      expect(spec.template.spec.serviceAccountName).toBe(`${name}-${service}`)
      const [container] = spec.template.spec.containers
      expect(container.livenessProbe.httpGet.path).toBe('/healthz')
      expect(container.readinessProbe.httpGet.path).toBe('/readyz')
      expect(container.ports).toContainEqual({ name: 'http-metrics', containerPort: 8080 })
    }
    for (const pod of podsOf(objects)) expectLockedDown(pod)
  })

  it('labels every object as part of Setpoint, and every name is used once', async () => {
    const objects = await render(values)
    for (const object of objects)
      expect(object.metadata.labels, object.metadata.name).toMatchObject({
        'app.kubernetes.io/part-of': 'setpoint',
      })
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.namespace}/${metadata.name}`)
    expect(new Set(names).size).toBe(names.length)
  })

  it('every selector of a Service or policy meets a Pod', async () => {
    const objects = await render(values)
    const pods = podTemplatesOf(objects).map((template) => template.metadata.labels)
    const selectors = objects.flatMap(({ kind, spec }) =>
      kind === 'Service' ? [spec.selector] : kind === 'NetworkPolicy' ? [spec.podSelector.matchLabels] : [],
    )
    for (const selector of selectors) expect(pods).toContainEqual(expect.objectContaining(selector))
  })
})

describe('values', () => {
  it.each([
    ['a misspelt value', { natz: {} }, "additional properties 'natz' not allowed"],
    [
      'a misspelt nested value',
      { source: { storage: { sise: '1Gi' } } },
      "additional properties 'sise' not allowed",
    ],
    ['an unknown log level', { logLevel: 'loud' }, '/logLevel'],
    ['an even number of NATS servers', { nats: { replicas: 2 } }, '/nats/replicas'],
    ['no replica of a service', { apply: { replicas: 0 } }, '/apply/replicas'],
    [
      'two replicas of source on one volume',
      { source: { replicas: 2, storage: { type: 'persistentVolumeClaim' } } },
      'source.storage.type=emptyDir',
    ],
    ['a digest that is none', { apply: { image: { digest: 'latest' } } }, '/apply/image/digest'],
    ['too little room for the streams', { nats: { storage: { size: '1Gi' } } }, '/nats/storage/size'],
    ['external NATS without an address', { nats: { enabled: false } }, '/nats/external/url'],
    ['a password in the address', { nats: { external: { url: 'nats://a:b@c:4222' } } }, '/nats/external/url'],
    ['an argument that is no flag', { apply: { extraArgs: ['oops'] } }, '/apply/extraArgs/0'],
  ])('%s is refused, and the place is named', async (_, values, says) => {
    await expect(render(values)).rejects.toThrow(says)
  })

  it('an image is a tag, or a digest that wins', async () => {
    const objects = await render(variants['everything set'])
    expect(imageOf(find(objects, 'Deployment', 'gitops-apply'))).toBe(
      'registry.example.com/setpoint/apply:v9',
    )
    const digest = `sha256:${'a'.repeat(64)}`
    expect(imageOf(find(objects, 'Deployment', 'gitops-source'))).toBe(
      `registry.example.com/setpoint/source@${digest}`,
    )
  })

  it('external NATS: none is installed, and the services get its address and credentials', async () => {
    const objects = await render(externalNats)
    expect(
      objects.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'nats'),
    ).toEqual([])
    const [container] = find(objects, 'Deployment', 'setpoint-source').spec.template.spec.containers
    expect(container.args).toEqual(
      expect.arrayContaining([
        '--nats-url=tls://nats-1.example.com:4222,tls://nats-2.example.com:4222',
        '--nats-replicas=3',
        '--nats-credentials-file=/etc/setpoint/nats/nats.creds',
        '--nats-ca-file=/etc/setpoint/nats/ca.crt',
      ]),
    )
  })

  it('three NATS servers make a cluster, and the streams three copies', async () => {
    const objects = await render({ nats: { replicas: 3 } })
    expect(find(objects, 'StatefulSet', 'setpoint-nats').spec.replicas).toBe(3)
    expect(find(objects, 'PodDisruptionBudget', 'setpoint-nats').spec.maxUnavailable).toBe(1)
    const [container] = find(objects, 'Deployment', 'setpoint-apply').spec.template.spec.containers
    expect(container.args).toContain('--nats-replicas=3')
  })

  it('the artifact Service may have the name that Flux uses', async () => {
    const objects = await render({ source: { artifactServiceName: 'source-controller' } })
    expect(find(objects, 'Service', 'source-controller').spec.ports).toMatchObject([{ port: 80 }])
    const [container] = find(objects, 'Deployment', 'setpoint-source').spec.template.spec.containers
    expect(container.args).toContain(
      '--storage-adv-addr=source-controller.setpoint-system.svc.cluster.local.',
    )
  })

  it('sources in other namespaces are refused, unless they are let in', async () => {
    const [closed, open] = [await render(), await render({ tenancy: { crossNamespaceRefs: true } })]
    for (const name of ['setpoint-kustomize-render', 'setpoint-image-automation']) {
      const argsOf = (objects: Manifest[]) =>
        find(objects, 'Deployment', name).spec.template.spec.containers[0].args
      expect(argsOf(closed)).toContain('--no-cross-namespace-refs=true')
      expect(argsOf(open)).toContain('--no-cross-namespace-refs=false')
    }
  })

  it('tokens of ServiceAccounts may be made only where objects may log in as them', async () => {
    const grants = (objects: Manifest[], name: string) =>
      JSON.stringify(find(objects, 'ClusterRole', name)).includes('serviceaccounts/token')
    const [closed, open] = [await render(), await render({ tenancy: { objectLevelWorkloadIdentity: true } })]
    for (const name of ['setpoint-source', 'setpoint-kustomize-render', 'setpoint-image-automation']) {
      expect(grants(closed, name)).toBe(false)
      expect(grants(open, name)).toBe(true)
      const [container] = find(open, 'Deployment', name).spec.template.spec.containers
      expect(container.args).toContain('--object-level-workload-identity=true')
    }
  })

  it('without network policies there are none', async () => {
    const objects = await render({ networkPolicy: { enabled: false } })
    expect(objects.filter(({ kind }) => kind === 'NetworkPolicy')).toEqual([])
  })

  it('without crds.install there are no definitions; with it they outlive the release', async () => {
    const definitions = (objects: Manifest[]) =>
      objects.filter(({ kind }) => kind === 'CustomResourceDefinition')
    expect(definitions(await render({ crds: { install: false } }))).toEqual([])
    const installed = definitions(await render())
    expect(installed.length).toBeGreaterThan(1)
    for (const { metadata } of installed)
      expect(metadata).toMatchObject({ annotations: { 'helm.sh/resource-policy': 'keep' } })
  })

  it('a Secret of your own is used instead of a generated one', async () => {
    const objects = await render({
      sealingKey: { existingSecret: 'my-key' },
      nats: { auth: { existingSecret: 'my-passwords' } },
    })
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([])
    const { spec } = find(objects, 'Deployment', 'setpoint-apply').spec.template
    expect(spec.containers[0].args).toContain('--sealing-key-secret=setpoint-system/my-key')
    expect(find(objects, 'Role', 'setpoint-apply').rules[0].resourceNames).toEqual(['my-key'])
    expect(JSON.stringify(spec.volumes)).toContain('my-passwords')
  })
})

describe('network policies', () => {
  it('NATS hears the services and its peers, and nobody else', async () => {
    const { spec } = find(await render(), 'NetworkPolicy', 'setpoint-nats')
    const services = { key: 'app.kubernetes.io/component', operator: 'In', values: SERVICES }
    expect(spec.ingress).toMatchObject([
      { from: [{ podSelector: { matchExpressions: [services] } }], ports: [{ port: 'nats' }] },
      {
        from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/component': 'nats' } } }],
        ports: [{ port: 'cluster' }],
      },
    ])
    expect(spec.ingress).toHaveLength(2)
  })

  it('a Pod that no rule names hears nobody', async () => {
    const { spec } = find(await render(), 'NetworkPolicy', 'setpoint-default-deny')
    expect(spec).toMatchObject({ policyTypes: ['Ingress'] })
    expect(spec.ingress).toBeUndefined()
  })
})

function podTemplatesOf(objects: Manifest[]): Manifest[] {
  return objects
    .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
    .map(({ spec }) => spec.template)
}

const podsOf = (objects: Manifest[]): Manifest[] => podTemplatesOf(objects).map(({ spec }) => spec)

const imageOf = (deployment: Manifest): string => deployment.spec.template.spec.containers[0].image

function expectLockedDown(pod: Manifest): void {
  expect(pod.securityContext).toMatchObject({
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  })
  for (const container of pod.containers) {
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.resources).toMatchObject({ requests: expect.anything(), limits: expect.anything() })
  }
}
