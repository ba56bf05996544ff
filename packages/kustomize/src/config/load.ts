import { within } from '../build-error.ts'
import { decode } from '../kustomization/decode.ts'
import { fieldSpecShape, fieldSpecsShape } from '../kustomization/fields.ts'
import { list, struct } from '../kustomization/shape.ts'
import type { TargetContext } from '../target/context.ts'
import { defaultConfig } from './defaults.ts'
import { emptyConfig, mergeConfig, sortConfig, type TransformerConfig } from './transformer-config.ts'

const configShape = struct({
  ...Object.fromEntries(Object.keys(emptyConfig()).map((field) => [field, fieldSpecsShape])),
  nameReference: list(
    struct({ group: 'string', version: 'string', kind: 'string', fieldSpecs: list(fieldSpecShape) }),
  ),
})

/** One object for all builds, so that merging it with itself costs nothing. */
let defaults: TransformerConfig | undefined

/** The default rules, with those of the `configurations` of a kustomization. */
export function loadConfig(context: TargetContext): TransformerConfig {
  defaults ??= mergeConfig(emptyConfig(), sortConfig(defaultConfig()))
  let custom = emptyConfig()
  for (const path of context.kustomization.configurations ?? []) {
    const file = context.loader.load(path)
    const read = within({ file: file.path }, () =>
      decode<Partial<TransformerConfig>>(context.parser.strictConfiguration(file), configShape, {
        strict: true,
        coerce: true,
      }),
    )
    if (read !== undefined) custom = mergeConfig(custom, sortConfig({ ...emptyConfig(), ...withPaths(read) }))
  }
  if ((context.kustomization.configurations ?? []).length === 0) return defaults
  return mergeConfig(emptyConfig(), mergeConfig(defaults, custom))
}

function withPaths(custom: Partial<TransformerConfig>): Partial<TransformerConfig> {
  const { nameReference, ...rest } = custom
  const named = nameReference?.map((reference) => ({ ...reference, fieldSpecs: reference.fieldSpecs ?? [] }))
  return named === undefined ? rest : { ...rest, nameReference: named }
}
