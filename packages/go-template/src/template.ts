import { TemplateError } from './errors.ts'
import { execute } from './execute.ts'
import { parse } from './parse.ts'
import type { Value } from './value.ts'

/** A template that was read. */
export interface Template {
  /** @throws TemplateError when it fails on the data, takes too many steps, or the text becomes too long. */
  render(data: Value): string
}

const MAX_SOURCE = 64 * 1024
const LIMITS = { steps: 100_000, output: 64 * 1024 }

/** Reads a template in Go's language, without define, template and block. @throws TemplateError naming the line */
export function compileTemplate(source: string): Template {
  if (source.length > MAX_SOURCE)
    throw new TemplateError(`the template is longer than ${MAX_SOURCE} characters`)
  const nodes = parse(source)
  return { render: (data) => execute(nodes, data, LIMITS) }
}
