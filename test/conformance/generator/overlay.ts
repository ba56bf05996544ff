import { commonFields, plainFieldsOf } from './fields.ts'
import { Random } from './random.ts'
import { alwaysThere, resourceMakers } from './resources.ts'

/** A tree of files and the directory to build. */
export interface GeneratedOverlay {
  files: Record<string, string>
  root: string
}

/** Composes a base, overlays over it and perhaps a component, from all kinds of fields. */
export function generateOverlay(seed: number): GeneratedOverlay {
  const random = new Random(seed)
  const files: Record<string, string> = {}
  writeBase(random, files, 'base')
  let below = ['../base']
  if (random.chance(0.25)) {
    writeBase(random, files, 'other')
    below = ['../base', '../other']
  }
  const levels = random.below(3)
  for (let level = 0; level < levels; level += 1) {
    const directory = `level${level}`
    writeOverlay(random, files, directory, below)
    below = [`../${directory}`]
  }
  return { files, root: (below[0] ?? '../base').slice(3) }
}

function writeBase(random: Random, files: Record<string, string>, directory: string): void {
  const resources: string[] = []
  if (directory === 'base') {
    files['base/always.yaml'] = alwaysThere.map((make) => make(random)).join('---\n')
    resources.push('always.yaml')
  }
  for (const [at, make] of random.some(resourceMakers, 0.18).entries()) {
    const file = `r${at}.yaml`
    files[`${directory}/${file}`] = make(random)
    resources.push(file)
  }
  const fields = [
    `resources:\n${listOf(['none.yaml', ...resources])}`,
    ...(directory === 'base' ? commonFields(random, files, directory) : plainFieldsOf(random)),
  ]
  files[`${directory}/none.yaml`] = '# nothing here\n'
  files[`${directory}/kustomization.yaml`] = fields.join('')
}

function writeOverlay(
  random: Random,
  files: Record<string, string>,
  directory: string,
  below: string[],
): void {
  const fields = [`${random.chance(0.1) ? 'bases' : 'resources'}:\n${listOf(below)}`]
  if (random.chance(0.2)) {
    const component = commonFields(random, files, `${directory}/component`)
    if (!component.some((field) => field.startsWith('commonAnnotations'))) {
      component.push('commonAnnotations: {component: "yes"}\n')
    }
    files[`${directory}/component/kustomization.yaml`] =
      `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n${component.join('')}`
    fields.push('components: [component]\n')
  }
  files[`${directory}/kustomization.yaml`] = [...fields, ...commonFields(random, files, directory)].join('')
}

function listOf(items: string[]): string {
  return items.map((item) => `- ${item}\n`).join('')
}
