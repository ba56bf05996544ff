import { mergeConfig, type TransformerConfig } from '../config/transformer-config.ts'
import type { Var } from '../kustomization/types.ts'
import { ResourceList } from '../resource/resource-list.ts'
import { addVar } from '../transformers/vars.ts'

/** What a kustomization hands to the one above it: resources, and the rules by which they are still to be fixed. */
export class Accumulator {
  readonly list = new ResourceList()
  readonly vars = new Map<string, Var>()
  config: TransformerConfig | undefined

  mergeConfig(config: TransformerConfig): void {
    this.config = this.config === undefined ? config : mergeConfig(this.config, config)
  }

  merge(other: Accumulator): void {
    this.list.appendAll(other.list.items)
    if (other.config !== undefined) this.mergeConfig(other.config)
    for (const variable of other.vars.values()) addVar(this.vars, variable)
  }
}
