import { TemplateError } from './errors.ts'
import type { Value } from './value.ts'

/** What an operand is. */
export type Operand =
  | { kind: 'literal'; value: Value }
  | { kind: 'field'; path: string[] }
  | { kind: 'variable'; name: string; path: string[] }
  | { kind: 'function'; name: string }
  | { kind: 'pipeline'; pipeline: Pipeline; path: string[] }

/** Commands whose result is the last argument of the next. */
export type Pipeline = Operand[][]

const TOKEN =
  /\s*(?:(?<string>"(?:[^"\\\n]|\\.)*")|(?<raw>`[^`]*`)|(?<number>-?\d+(?:\.\d+)?)|(?<variable>\$\w*(?:\.\w+)*)|(?<field>(?:\.\w+)+|\.)|(?<word>[A-Za-z_]\w*)|(?<sign>:=|[|(),=]))/y

interface Token {
  kind: 'string' | 'raw' | 'number' | 'variable' | 'field' | 'word' | 'sign'
  text: string
}

/** The tokens of an action. @throws TemplateError */
export function tokens(source: string): Token[] {
  const found: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < source.trimEnd().length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(source)
    const [kind, text] = Object.entries(match?.groups ?? {}).find(([, value]) => value !== undefined) ?? []
    if (kind === undefined || text === undefined)
      throw new TemplateError(`"${source.slice(at, at + 20).trim()}" cannot be read`)
    found.push({ kind: kind as Token['kind'], text })
  }
  return found
}

/** Reads a pipeline, up to the end or a closing bracket. @throws TemplateError */
export class ExpressionReader {
  private readonly tokens: Token[]
  private at = 0

  constructor(all: Token[]) {
    this.tokens = all
  }

  get isAtEnd(): boolean {
    return this.at >= this.tokens.length
  }

  pipeline(): Pipeline {
    const commands: Operand[][] = [[]]
    for (let token = this.peek(); token !== undefined && token.text !== ')'; token = this.peek()) {
      this.at += 1
      if (token.kind === 'sign' && token.text === '|') commands.push([])
      else commands.at(-1)?.push(this.operand(token))
    }
    if (commands.some((command) => command.length === 0)) throw new TemplateError('a command is missing')
    return commands
  }

  private operand({ kind, text }: Token): Operand {
    if (kind === 'string') return { kind: 'literal', value: unquote(text) }
    if (kind === 'raw') return { kind: 'literal', value: text.slice(1, -1) }
    if (kind === 'number') return { kind: 'literal', value: Number(text) }
    if (kind === 'field') return { kind: 'field', path: pathOf(text) }
    if (kind === 'variable') {
      const [name = '$', ...path] = text.split('.')
      return { kind: 'variable', name, path }
    }
    if (kind === 'word')
      return LITERALS.has(text)
        ? { kind: 'literal', value: LITERALS.get(text) }
        : { kind: 'function', name: text }
    if (text === '(') return this.bracketed()
    throw new TemplateError(`"${text}" is not expected here`)
  }

  private bracketed(): Operand {
    const pipeline = this.pipeline()
    if (this.peek()?.text !== ')') throw new TemplateError('a bracket is not closed')
    this.at += 1
    const next = this.peek()
    if (next?.kind !== 'field' || next.text === '.') return { kind: 'pipeline', pipeline, path: [] }
    this.at += 1
    return { kind: 'pipeline', pipeline, path: pathOf(next.text) }
  }

  private peek(): Token | undefined {
    return this.tokens[this.at]
  }
}

const LITERALS = new Map<string, Value>([
  ['true', true],
  ['false', false],
  ['nil', undefined],
])

function pathOf(text: string): string[] {
  return text === '.' ? [] : text.slice(1).split('.')
}

function unquote(text: string): string {
  try {
    return JSON.parse(text)
  } catch {
    throw new TemplateError(`the string ${text.slice(0, 20)} cannot be read`)
  }
}
