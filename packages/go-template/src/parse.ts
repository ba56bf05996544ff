import { TemplateError } from './errors.ts'
import { ExpressionReader, type Pipeline, tokens } from './expression.ts'
import { type Part, scan } from './scan.ts'

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; pipeline: Pipeline; line: number }
  | { kind: 'set'; variable: string; isNew: boolean; pipeline: Pipeline; line: number }
  | { kind: 'leave'; what: 'break' | 'continue' }
  | {
      kind: 'if' | 'with' | 'range'
      /** Variables that get the value; of range, the key or index and the value. */
      variables: string[]
      pipeline: Pipeline
      body: Node[]
      otherwise: Node[]
      line: number
    }

const MAX_DEPTH = 50

/** Reads a template into a tree. @throws TemplateError naming the line */
export function parse(source: string): Node[] {
  const reader = new Reader(scan(source))
  const { nodes, end } = reader.nodes(0)
  if (end !== undefined) throw new TemplateError(`line ${end.line}: {{${end.content}}} belongs to nothing`)
  return nodes
}

class Reader {
  private readonly parts: Part[]
  private at = 0

  constructor(parts: Part[]) {
    this.parts = parts
  }

  /** Up to an `end` or `else`, which is handed back. */
  nodes(depth: number): { nodes: Node[]; end: Part | undefined } {
    if (depth > MAX_DEPTH) throw new TemplateError(`blocks are nested deeper than ${MAX_DEPTH}`)
    const nodes: Node[] = []
    for (let part = this.parts[this.at]; part !== undefined; part = this.parts[this.at]) {
      this.at += 1
      if (part.kind === 'text') nodes.push({ kind: 'text', text: part.content })
      else if (/^(?:end|else)\b/.test(part.content)) return { nodes, end: part }
      else nodes.push(this.action(part, depth))
    }
    return { nodes, end: undefined }
  }

  private action(part: Part, depth: number): Node {
    const { content, line } = part
    const [word = ''] = content.split(/[\s(]/, 1)
    if (word === 'if' || word === 'with' || word === 'range')
      return this.block(word, content.slice(word.length), line, depth)
    if (content === 'break' || content === 'continue') return { kind: 'leave', what: content }
    if (['define', 'template', 'block'].includes(word))
      throw new TemplateError(`line ${line}: {{${word}}} is not known here`)
    return atLine(line, () => {
      const set = /^(\$\w+)\s*(:?=)(?!=)/.exec(content)
      const pipeline = expression(content.slice(set?.[0].length ?? 0))
      if (set?.[1] === undefined) return { kind: 'print', pipeline, line }
      return { kind: 'set', variable: set[1], isNew: set[2] === ':=', pipeline, line }
    })
  }

  private block(kind: 'if' | 'with' | 'range', head: string, line: number, depth: number): Node {
    const { variables, pipeline } = atLine(line, () => blockHead(head))
    const { nodes: body, end } = this.nodes(depth + 1)
    if (end === undefined) throw new TemplateError(`line ${line}: {{${kind}}} has no {{end}}`)
    return { kind, variables, pipeline, body, otherwise: this.otherwise(end, depth), line }
  }

  private otherwise(end: Part, depth: number): Node[] {
    if (end.content === 'end') return []
    const chained = /^else\s+(if|with)\b([\s\S]*)$/.exec(end.content)
    if (chained?.[1] !== undefined)
      return [this.block(chained[1] as 'if' | 'with', chained[2] ?? '', end.line, depth + 1)]
    if (end.content !== 'else') throw new TemplateError(`line ${end.line}: {{${end.content}}} cannot be read`)
    const { nodes, end: last } = this.nodes(depth + 1)
    if (last?.content !== 'end') throw new TemplateError(`line ${end.line}: {{else}} has no {{end}}`)
    return nodes
  }
}

function blockHead(head: string): { variables: string[]; pipeline: Pipeline } {
  const named = /^\s*(\$\w*)\s*(?:,\s*(\$\w*)\s*)?:=/.exec(head)
  const variables = [named?.[1], named?.[2]].filter((name) => name !== undefined)
  return { variables, pipeline: expression(head.slice(named?.[0].length ?? 0)) }
}

function expression(source: string): Pipeline {
  const reader = new ExpressionReader(tokens(source))
  const pipeline = reader.pipeline()
  if (!reader.isAtEnd) throw new TemplateError('there is a bracket too many')
  return pipeline
}

function atLine<T>(line: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof TemplateError) throw new TemplateError(`line ${line}: ${error.message}`)
    throw error
  }
}
