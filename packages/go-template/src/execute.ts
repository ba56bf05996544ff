import { TemplateError } from './errors.ts'
import type { Operand, Pipeline } from './expression.ts'
import { functions } from './functions.ts'
import type { Node } from './parse.ts'
import { fieldOf, isList, isMap, isRecord, isTrue, print, type Value } from './value.ts'

export interface Limits {
  /** Nodes that may be run. */
  steps: number
  /** Characters that may come out. */
  output: number
}

type Left = 'break' | 'continue' | undefined

/** Runs a template on data. @throws TemplateError naming the line */
export function execute(nodes: readonly Node[], data: Value, limits: Limits): string {
  const run = new Execution(data, limits)
  run.all(nodes, data)
  return run.output
}

class Execution {
  output = ''
  private readonly limits: Limits
  private steps = 0
  private readonly variables: { name: string; value: Value }[]

  constructor(data: Value, limits: Limits) {
    this.limits = limits
    this.variables = [{ name: '$', value: data }]
  }

  all(nodes: readonly Node[], dot: Value): Left {
    const depth = this.variables.length
    for (const node of nodes) {
      this.steps += 1
      if (this.steps > this.limits.steps)
        throw new TemplateError(`the template takes more than ${this.limits.steps} steps`)
      const left = this.one(node, dot)
      if (left !== undefined) return this.leave(depth, left)
    }
    return this.leave(depth, undefined)
  }

  private leave(depth: number, left: Left): Left {
    this.variables.length = depth
    return left
  }

  private one(node: Node, dot: Value): Left {
    if (node.kind === 'text') this.write(node.text)
    else if (node.kind === 'leave') return node.what
    else return this.located(node.line, () => this.action(node, dot))
    return undefined
  }

  private action(node: Exclude<Node, { kind: 'text' | 'leave' }>, dot: Value): Left {
    const value = this.pipeline(node.pipeline, dot)
    if (node.kind === 'print') this.write(print(value))
    else if (node.kind === 'set') this.set(node.variable, node.isNew, value)
    else if (node.kind === 'range') return this.range(node, value, dot)
    else {
      const depth = this.variables.length
      const [name] = node.variables
      if (name !== undefined) this.variables.push({ name, value })
      const inner = node.kind === 'with' ? value : dot
      return this.leave(depth, isTrue(value) ? this.all(node.body, inner) : this.all(node.otherwise, dot))
    }
    return undefined
  }

  private range(node: Extract<Node, { kind: 'if' | 'with' | 'range' }>, value: Value, dot: Value): Left {
    const entries = entriesOf(value)
    if (entries.length === 0) return this.all(node.otherwise, dot)
    const depth = this.variables.length
    for (const [key, item] of entries) {
      const [first, second] = node.variables
      if (first !== undefined) this.variables.push({ name: first, value: second === undefined ? item : key })
      if (second !== undefined) this.variables.push({ name: second, value: item })
      const left = this.leave(depth, this.all(node.body, item))
      if (left === 'break') break
    }
    return undefined
  }

  private set(name: string, isNew: boolean, value: Value): void {
    const found = this.variables.findLast((variable) => variable.name === name)
    if (isNew) this.variables.push({ name, value })
    else if (found === undefined) throw new TemplateError(`${name} is not declared`)
    else found.value = value
  }

  private pipeline(pipeline: Pipeline, dot: Value): Value {
    let result: { value: Value } | undefined
    for (const command of pipeline) result = { value: this.command(command, dot, result) }
    return result?.value
  }

  private command([first, ...rest]: Operand[], dot: Value, piped: { value: Value } | undefined): Value {
    if (first?.kind === 'function') {
      const call = Object.hasOwn(functions, first.name) ? functions[first.name] : undefined
      if (call === undefined) throw new TemplateError(`there is no function "${first.name}"`)
      return call(
        ...rest.map((operand) => this.operand(operand, dot)),
        ...(piped === undefined ? [] : [piped.value]),
      )
    }
    if (first === undefined || rest.length > 0 || piped !== undefined)
      throw new TemplateError('only a function takes arguments')
    return this.operand(first, dot)
  }

  private operand(operand: Operand, dot: Value): Value {
    if (operand.kind === 'literal') return operand.value
    if (operand.kind === 'function') return this.command([operand], dot, undefined)
    if (operand.kind === 'field') return operand.path.reduce(fieldOf, dot)
    if (operand.kind === 'pipeline') return operand.path.reduce(fieldOf, this.pipeline(operand.pipeline, dot))
    const found = this.variables.findLast((variable) => variable.name === operand.name)
    if (found === undefined) throw new TemplateError(`${operand.name} is not declared`)
    return operand.path.reduce(fieldOf, found.value)
  }

  private write(text: string): void {
    this.output += text
    if (this.output.length > this.limits.output)
      throw new TemplateError(`the text is longer than ${this.limits.output} characters`)
  }

  private located<T>(line: number, run: () => T): T {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof TemplateError) || error.message.startsWith('line ')) throw error
      throw new TemplateError(`line ${line}: ${error.message}`)
    }
  }
}

function entriesOf(value: Value): [Value, Value][] {
  if (isList(value)) return value.map((item, at) => [at, item])
  if (isMap(value)) return [...value]
  if (value === undefined) return []
  if (isRecord(value)) return Object.entries(value)
  throw new TemplateError('range is asked of what is no list and no map')
}
