import { names, type Random, reference } from './random.ts'
import { inline } from './scalars.ts'

/** The lines of a pod spec. */
export function podSpec(random: Random, indent: number): string {
  const pad = ' '.repeat(indent)
  const lines: string[] = [`${pad}spec:\n`, `${pad}  containers:\n`]
  for (let count = 0; count <= random.below(2); count += 1) lines.push(container(random, indent + 2))
  if (random.chance(0.2)) lines.push(`${pad}  initContainers:\n`, container(random, indent + 2))
  if (random.chance(0.3)) lines.push(`${pad}  serviceAccountName: sa${random.pick(names)}\n`)
  if (random.chance(0.4)) {
    lines.push(`${pad}  volumes:\n${pad}  - name: data\n`)
    lines.push(
      random.chance(0.5)
        ? `${pad}    emptyDir: {}\n`
        : `${pad}    configMap:\n${pad}      name: cm${reference(random)}\n`,
    )
  }
  if (random.chance(0.2)) lines.push(`${pad}  imagePullSecrets:\n${pad}  - name: sec${reference(random)}\n`)
  if (random.chance(0.2)) lines.push(`${pad}  tolerations:\n${pad}  - {key: a, operator: Exists}\n`)
  return lines.join('')
}

function container(random: Random, indent: number): string {
  const pad = ' '.repeat(indent)
  const lines = [`- name: ${random.pick(['main', 'side', 'log'])}`, `  image: ${random.pick(images)}`]
  if (random.chance(0.5)) {
    lines.push(`  env:`, `  - name: A`, `    value: ${inline(random)}`)
    if (random.chance(0.5))
      lines.push(
        `  - name: B`,
        `    valueFrom:`,
        `      configMapKeyRef: {name: cm${reference(random)}, key: k}`,
      )
    if (random.chance(0.3))
      lines.push(`  - name: C`, `    valueFrom: {secretKeyRef: {name: sec${reference(random)}, key: k}}`)
  }
  if (random.chance(0.4)) lines.push(`  ports:`, `  - containerPort: 80`, `    name: http`)
  else if (random.chance(0.3)) {
    lines.push(
      `  ports:`,
      `  - containerPort: 53`,
      `    protocol: UDP`,
      `  - containerPort: 53`,
      `    protocol: TCP`,
    )
  }
  if (random.chance(0.3)) lines.push(`  args: [--a, "$(VAR)", "5"]`)
  if (random.chance(0.3)) lines.push(`  volumeMounts:`, `  - {name: data, mountPath: /data}`)
  return lines.map((line) => `${pad}${line}\n`).join('')
}

const images = [
  'nginx',
  'nginx:1.0',
  'nginx@sha256:abc',
  'reg.io:5000/app:v1',
  'reg.io:5000/app',
  'busybox:latest',
] as const
