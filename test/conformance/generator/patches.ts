import type { Random } from './random.ts'

/** The field `patches` with one or two entries. */
export function patches(random: Random, files: Record<string, string>, directory: string): string {
  const entries = Array.from({ length: 1 + random.below(2) }, (_, at) => {
    const isMerge = random.chance(0.6)
    const byName = isMerge && random.chance(0.4)
    const kind = random.pick([
      'Deployment',
      'Service',
      'ConfigMap',
      'Widget',
      byName ? 'Widget' : 'StatefulSet',
    ])
    const prefix =
      { Deployment: 'dep', Service: 'svc', ConfigMap: 'cm', Widget: 'wid', StatefulSet: 'sts' }[kind] ?? ''
    const apiVersion =
      { Deployment: 'apps/v1', StatefulSet: 'apps/v1', Widget: 'example.com/v1' }[kind] ?? 'v1'
    const text = isMerge
      ? `apiVersion: ${apiVersion}\nkind: ${kind}\n${random.pick(random.chance(0.5) ? mergePatches : moreMergePatches).replace('name: x', byName ? `name: ${prefix}web` : 'name: x')}\n`
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
] as const
