import { BuildError, within } from '../build-error.ts'
import { cleanRelative } from '../files/paths.ts'
import { generateConfigMap, generateSecret, withGlobalOptions } from '../generators/generate.ts'
import type { GeneratorArgs } from '../kustomization/types.ts'
import type { Origin } from '../resource/origin.ts'
import type { Resource } from '../resource/resource.ts'
import type { Accumulator } from './accumulator.ts'
import type { TargetContext } from './context.ts'
import { loadPlugins } from './plugin-configs.ts'
import { generateByPlugin } from './plugins.ts'

/** Adds what the generators of a kustomization make, or lays it over what is there. */
export function runGenerators(context: TargetContext, into: Accumulator): void {
  const generated = [
    ...builtin(context, context.kustomization.configMapGenerator, 'ConfigMapGenerator', generateConfigMap),
    ...builtin(context, context.kustomization.secretGenerator, 'SecretGenerator', generateSecret),
  ]
  refuseHelm(context)
  for (const plugin of loadPlugins(context, context.kustomization.generators ?? [], 'generators')) {
    const resource = within(plugin.resource.source, () => generateByPlugin(plugin.resource, context))
    resource.origin ??= plugin.origin
    generated.push(resource)
  }
  for (const resource of generated) within(resource.source, () => into.list.absorb(resource))
}

type Generate = typeof generateConfigMap

function builtin(
  context: TargetContext,
  args: GeneratorArgs[] = [],
  kind: string,
  generate: Generate,
): Resource[] {
  const { kustomization, loader, schemas, file } = context
  const field = `${kind[0]?.toLowerCase()}${kind.slice(1)}`
  return args.map((entry, at) =>
    within({ file, field: `${field}[${at}]` }, () => {
      const source = { file, line: 1 }
      const resource = generate(withGlobalOptions(entry, kustomization.generatorOptions), {
        loader,
        scopes: schemas,
        source,
      })
      resource.origin = builtinOrigin(context, kind)
      return resource
    }),
  )
}

/** The origin of what a field of the kustomization file made or changed. */
export function builtinOrigin(context: TargetContext, kind: string): Origin | undefined {
  if (context.origin === undefined) return undefined
  const configuredIn = cleanRelative(`${context.origin.path ?? ''}/${context.fileName}`)
  return { configuredIn, configuredBy: { apiVersion: 'builtin', kind } }
}

function refuseHelm({ kustomization, file }: TargetContext): void {
  for (const field of ['helmCharts', 'helmChartInflationGenerator'] as const) {
    if ((kustomization[field] ?? []).length === 0) continue
    throw new BuildError(
      'not-supported',
      'Helm charts are not rendered: use a HelmRelease, or commit the output of helm template',
      { file, field },
    )
  }
}
