import type { Random } from './random.ts'

/** The field `patches` with one or two entries. */
export function patches(random: Random, files: Record<string, string>, directory: string): string {
  const entries = Array.from({ length: 1 + random.below(2) }, (_, at) => {
    const isMerge = random.chance(0.6)
    const byName = isMerge && random.chance(0.4)
    const { apiVersion, kind, prefix } = random.pick<Patched>(byName ? alwaysPatched : patched)
    const merges = random.pick<Texts>(allMergePatches)
    const text = isMerge
      ? `apiVersion: ${apiVersion}\nkind: ${kind}\n${random.pick(merges).replace('name: x', byName ? `name: ${prefix}web` : 'name: x')}\n`
      : `${random.pick(operations)}\n`
    const target = byName ? '' : `  target: ${random.pick(patchTargets)}\n`
    const options =
      isMerge && random.chance(0.15) ? '  options: {allowNameChange: true, allowKindChange: true}\n' : ''
    if (random.chance(0.5)) {
      files[`${directory}/patch${at}.yaml`] = text
      return `- path: patch${at}.yaml\n${target}${options}`
    }
    return `- patch: |-\n${text.trimEnd().replace(/^/gm, '    ')}\n${target}${options}`
  })
  return `patches:\n${entries.join('')}`
}

type Texts = readonly [string, ...string[]]

interface Patched {
  apiVersion: string
  kind: string
  prefix: string
}

/** Of these there is always one named web. */
const alwaysPatched = [
  { apiVersion: 'apps/v1', kind: 'Deployment', prefix: 'dep' },
  { apiVersion: 'v1', kind: 'Service', prefix: 'svc' },
  { apiVersion: 'v1', kind: 'ConfigMap', prefix: 'cm' },
  { apiVersion: 'example.com/v1', kind: 'Widget', prefix: 'wid' },
] as const

const patched = [
  ...alwaysPatched,
  { apiVersion: 'apps/v1', kind: 'StatefulSet', prefix: 'sts' },
  { apiVersion: 'batch/v1', kind: 'CronJob', prefix: 'cron' },
] as const

const patchTargets = [
  '{kind: Deployment}',
  '{kind: Deployment|StatefulSet}',
  '{name: depweb}',
  '{name: dep.*}',
  '{labelSelector: "app=web"}',
  '{annotationSelector: "note"}',
  '{kind: Service, namespace: one}',
  '{group: apps, version: v1}',
  '{kind: Widget}',
  '{kind: ConfigMap, name: cm.*}',
  '{kind: StatefulSet}',
  '{kind: CronJob}',
  '{kind: Role|ClusterRole}',
  '{kind: Ingress}',
  '{kind: HorizontalPodAutoscaler}',
  '{kind: NetworkPolicy}',
  '{kind: ServiceAccount}',
  '{kind: Pod}',
] as const

const mergePatches = [
  'metadata: {name: x, labels: {added: yes, odd: null}}\nspec: {replicas: 9}',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        image: patched\n        env:\n        - name: A\n          value: 7\n        - name: Z\n          value: "z"',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - name: side\n        $patch: delete\n      - name: extra\n        image: extra',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - $patch: replace\n      - name: only\n        image: only',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      volumes:\n      - name: data\n        emptyDir: null\n        hostPath: {path: /x}\n      tolerations:\n      - {key: b}',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        ports:\n        - containerPort: 53\n          protocol: UDP\n          name: dns\n        - containerPort: 80\n          protocol: TCP',
  'metadata: {name: x, annotations: {note: 1.50, more: true}}',
  'metadata: {name: x}\n$patch: delete',
  'metadata: {name: x}\nspec:\n  $patch: replace\n  replicas: 1',
  'metadata: {name: x}\nspec: null',
  'metadata: {name: x}\nspec:\n  size: 8\n  list:\n  - name: c\n  map: {k: null, n: {}}',
  'metadata: {name: x}\ndata: {a: 5, b: null, n: "new"}',
  'metadata: {name: x}\nspec:\n  ports:\n  - port: 80\n    targetPort: 8080\n  - port: 443',
  'metadata: {name: x}\nimagePullSecrets:\n- name: more',
] as const

const moreMergePatches = [
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        env:\n        - name: A\n          $patch: delete\n        - name: B\n          valueFrom: null\n          value: now',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      $setElementOrder/containers:\n      - name: side\n      - name: main\n      containers:\n      - name: log\n        $patch: merge\n        image: log',
  'metadata:\n  name: x\n  finalizers: [a/b]\n  ownerReferences:\n  - {uid: u1, name: o}',
  'metadata: {name: x, labels: null}\nspec:\n  template:\n    metadata: {labels: {team: patched, tier: patched}}',
  'metadata: {name: x, labels: {team: patched, tier: patched}, annotations: {owner: patched}}',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - image: no-name\n      - name: main\n        args: [only]',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      imagePullSecrets:\n      - name: first\n      - name: secweb\n      hostAliases:\n      - {ip: 1.2.3.4, hostnames: [a]}\n      topologySpreadConstraints:\n      - {topologyKey: zone, whenUnsatisfiable: DoNotSchedule, maxSkew: 1}',
  'metadata: {name: x}\nspec:\n  ports:\n  - {port: 53, protocol: UDP, name: dns}\n  - {port: 53, protocol: TCP, name: dnst}\n  - {port: 80, $patch: delete}',
  'metadata: {name: x}\nspec:\n  selector: {matchLabels: {$patch: replace, only: this}}',
  'metadata: {name: x}\nspec: {}',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      volumes:\n      - $patch: delete\n        name: data\n      containers:\n      - name: side\n        volumeMounts:\n        - {mountPath: /data, $patch: delete}\n        - {mountPath: /new, name: new}',
] as const

const patchesOfOtherKinds = [
  'metadata:\n  name: x\n  $deleteFromPrimitiveList/finalizers: [a/b]\n  finalizers: [c/d]',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      volumes:\n      - name: data\n        $retainKeys: [name, configMap]\n        configMap: {name: cmweb}',
  'metadata: {name: x}\nspec:\n  strategy:\n    $retainKeys: [type]\n    type: Recreate',
  'metadata: {name: x}\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n          - name: main\n            image: patched\n            envFrom:\n            - configMapRef: {name: cmweb}',
  'metadata: {name: x}\nspec:\n  volumeClaimTemplates:\n  - metadata: {name: data}\n    spec: {accessModes: [ReadWriteOnce]}',
  'metadata: {name: x}\nrules:\n- apiGroups: [apps]\n  resources: [deployments]\n  verbs: [list]',
  'metadata: {name: x}\nspec:\n  rules:\n  - host: b.example.com\n    http: {paths: [{path: /b, pathType: Prefix, backend: {service: {name: svcweb, port: {number: 1}}}}]}',
  'metadata: {name: x}\nspec:\n  metrics:\n  - type: Resource\n    resource: {name: memory}\n  behavior: {scaleDown: {policies: [{type: Pods, value: 1}]}}',
  'metadata: {name: x}\nspec:\n  ingress:\n  - from: [{ipBlock: {cidr: 10.0.0.0/8}}]\n  policyTypes: [Ingress]',
  'metadata: {name: x}\nsecrets:\n- name: secweb\nautomountServiceAccountToken: false',
  'metadata: {name: x}\nspec:\n  containers:\n  - name: main\n    resources: {limits: {cpu: 1}}\n    livenessProbe: {httpGet: {path: /, port: 80}}\n  dnsConfig: {nameservers: [1.1.1.1]}',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      initContainers:\n      - name: main\n        command: [sh]\n      - name: first\n        image: first\n      securityContext: {runAsUser: 1e3, sysctls: [{name: a, value: "1"}]}\n      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchFields: []}]}}}',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        env:\n        - {name: A, value: null}\n        - {name: N, value: ""}\n        resources: {requests: {memory: 1Gi}}\n        $setElementOrder/env: [{name: N}, {name: A}]',
  'metadata: {name: x, annotations: {}}\nspec:\n  list: []\n  map: {}',
  'metadata: {name: x}\nspec:\n  list:\n  - $patch: replace\n  - name: z',
  'metadata: {name: x}\nspec:\n  list:\n  - {name: a, $patch: delete}\n  map: {$patch: delete}',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      tolerations:\n      - {key: a, operator: Equal, value: "1"}\n      ephemeralContainers: [{name: dbg, image: d}]\n      resourceClaims: [{name: c}]\n      schedulingGates: [{name: g}]',
] as const

const operations = [
  '- {op: add, path: /metadata/annotations/added, value: "x"}',
  '- {op: add, path: /metadata/labels/added, value: "x"}',
  '- {op: replace, path: /spec/replicas, value: 5}',
  '- {op: add, path: /spec/replicas, value: "5"}',
  '- {op: remove, path: /metadata/labels}',
  '- {op: test, path: /kind, value: Deployment}\n- {op: add, path: /spec/paused, value: true}',
  '- {op: add, path: /spec/template/spec/containers/-, value: {name: j, image: nginx}}',
  '- {op: replace, path: /spec/template/spec/containers/0/image, value: "json:1"}',
  '- {op: copy, from: /metadata/name, path: /metadata/annotations/copied}',
  '- {op: move, from: /spec/template, path: /spec/moved}',
  '- {op: remove, path: /spec/template/spec/containers/0}',
  '[{"op": "add", "path": "/metadata/annotations", "value": {"all": "new"}}]',
  '- op: replace\n  path: /metadata/name\n  value: renamed',
  '- op: replace\n  path: /metadata/namespace\n  value: renamed',
  '- {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: J, value: 1.50}}',
  '- {op: add, path: /metadata/annotations/a.b~1c, value: "yes"}',
  '- {op: replace, path: /spec/ports/0/port, value: 0o17}',
  '- {op: test, path: /metadata/name, value: nobody}',
  '- {op: add, path: /spec/list/0, value: {name: first}}\n- {op: remove, path: /spec/list/1}',
  '- {op: copy, from: /spec/map, path: /spec/copied}',
  '- {op: replace, path: /data/a, value: null}',
  '- {op: add, path: "", value: {apiVersion: v1, kind: ConfigMap, metadata: {name: whole}}}',
] as const

const allMergePatches = [mergePatches, moreMergePatches, patchesOfOtherKinds] as const
