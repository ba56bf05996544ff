import { COLLECTION_STYLE, EVENT_ID, type Event, getScalarValue, SCALAR_STYLE, YAMLException } from 'js-yaml'
import { readEvents } from './yaml-events.ts'
import {
  EmptyInBrackets,
  jsonComments,
  resolvePlain,
  SourceScalar,
  setJsonComments,
  type YamlDialect,
  type YamlMap,
  type YamlValue,
} from './yaml-scalar.ts'
import { resolveTagged } from './yaml-tag.ts'

export type DuplicateKeys = 'refuse' | 'last' | 'lastAnnotation'

export interface ComposeOptions {
  dialect: YamlDialect
  duplicateKeys: DuplicateKeys
  maxDepth: number
  /** Counted down for every node, those behind an alias each time; shared by the documents of a file. */
  budget: { nodes: number }
}

/**
 * Builds the first document of a text. Undefined when there is none; line is 1-based.
 * @throws YAMLException with a mark
 */
export function composeDocument(
  text: string,
  options: ComposeOptions,
): { value: YamlValue; line: number } | undefined {
  const { source, events } = readEvents(text, options.maxDepth)
  if (events.length < 2 || events[1]?.type === EVENT_ID.POP) return undefined
  const composer = new Composer(source, events, options)
  const start = contentStart(events[1])
  const value = composer.node()
  if (value === null || (value instanceof SourceScalar && value.value === null)) return undefined
  return { value, line: start < 0 ? 1 : lineAt(source, start) }
}

function contentStart(event: Event | undefined): number {
  if (event === undefined) return -1
  if (event.type === EVENT_ID.SCALAR) return event.valueStart
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start
  return -1
}

function lineAt(source: string, offset: number): number {
  let line = 1
  for (let at = source.indexOf('\n'); at >= 0 && at < offset; at = source.indexOf('\n', at + 1)) line += 1
  return line
}

type ScalarEvent = Extract<Event, { type: typeof EVENT_ID.SCALAR }>
type MappingEvent = Extract<Event, { type: typeof EVENT_ID.MAPPING }>
type SequenceEvent = Extract<Event, { type: typeof EVENT_ID.SEQUENCE }>

class Composer {
  readonly source: string
  readonly events: Event[]
  readonly options: ComposeOptions
  readonly anchors = new Map<string, YamlValue>()
  /** The maps and lists that are not read to their end yet. */
  readonly unfinished = new Set<YamlValue>()
  next = 1
  position = 0
  inBrackets = false
  /** The maps around the place that is read, and the keys on the way to it. */
  readonly keys: string[] = []
  readonly hasComments: boolean

  constructor(source: string, events: Event[], options: ComposeOptions) {
    this.source = source
    this.events = events
    this.options = options
    this.hasComments = /#\s*\{/.test(source)
  }

  node(): YamlValue {
    const event = this.events[this.next]
    this.next += 1
    this.spend(1)
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        return this.anchored(event, this.scalar(event))
      case EVENT_ID.MAPPING:
        return this.mapping(event)
      case EVENT_ID.SEQUENCE:
        return this.sequence(event)
      case EVENT_ID.ALIAS:
        return this.alias(this.source.slice(event.anchorStart, event.anchorEnd), event.anchorStart)
      default:
        return this.fail('unexpected end of the document', this.position)
    }
  }

  scalar(event: ScalarEvent): YamlValue {
    if (event.valueStart >= 0) this.position = event.valueStart
    const text = getScalarValue(this.source, event)
    const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK
    if (isBlock && /^\n*\t/.test(text))
      return this.fail('found a tab character where an indentation space is expected', this.position)
    const tag = event.tagStart >= 0 ? this.source.slice(event.tagStart, event.tagEnd) : ''
    const plain = event.style === SCALAR_STYLE.PLAIN
    if (tag !== '' && tag !== '!') return this.tagged(tag, text, !plain)
    if (!plain || tag === '!') return new SourceScalar(this.printable(text, event), text, true)
    if (text === '' && this.inBrackets && this.options.dialect === 'kustomize') return new EmptyInBrackets()
    const value = resolvePlain(text, this.options.dialect)
    if (value === text || String(value) === text) return value
    if (typeof value === 'number' && !Number.isFinite(value)) {
      if (this.isInAnnotations()) return new SourceScalar(text, text, true)
      return this.fail(`${text} is no number that JSON could hold; put it in quotes`, this.position)
    }
    return new SourceScalar(text, value, false)
  }

  /** Go's parser knows no `\\/` and no halves of a pair; and its emitter writes no DEL that it could read again. */
  printable(text: string, event: ScalarEvent): string {
    const isEscaped =
      event.style === SCALAR_STYLE.DOUBLE_QUOTED && text.length < event.valueEnd - event.valueStart
    const raw = isEscaped ? this.source.slice(event.valueStart, event.valueEnd) : ''
    const unknown = /(?<!\\)(?:\\\\)*(\\\/|\\u[dD][89a-fA-F])/.exec(raw)?.[1]
    if (unknown !== undefined) this.fail(`unknown escape ${unknown}`, event.valueStart)
    if (text.includes('\x7f')) this.fail('control characters are not allowed', event.valueStart)
    return text
  }

  tagged(tag: string, text: string, quoted: boolean): YamlValue {
    const result = resolveTagged(tag, text, this.options.dialect)
    if (result === undefined) return this.fail(`cannot read \`${text}\` as ${tag}`, this.position)
    const isText = result === text
    return new SourceScalar(text, result, quoted || isText)
  }

  sequence(event: SequenceEvent): YamlValue {
    this.position = event.start
    const list: YamlValue[] = []
    if (event.anchorStart >= 0) this.unfinished.add(this.anchored(event, list))
    while (this.events[this.next]?.type !== EVENT_ID.POP) list.push(this.node())
    this.unfinished.delete(list)
    this.next += 1
    return list
  }

  mapping(event: MappingEvent): YamlValue {
    this.position = event.start
    const map: YamlMap = {}
    const merges: YamlValue[] = []
    if (event.anchorStart >= 0) this.unfinished.add(this.anchored(event, map))
    const outside = this.inBrackets
    this.inBrackets ||= event.style === COLLECTION_STYLE.FLOW
    while (this.events[this.next]?.type !== EVENT_ID.POP) this.pair(map, merges)
    this.inBrackets = outside
    this.unfinished.delete(map)
    this.next += 1
    if (merges.length > 1) return this.fail('duplicate merge key', event.start)
    const inBrackets = outside || event.style === COLLECTION_STYLE.FLOW
    for (const merge of merges) this.mergeInto(map, merge, inBrackets)
    return map
  }

  pair(map: YamlMap, merges: YamlValue[]): void {
    const event = this.events[this.next]
    const start = contentStart(event)
    const isMerge = event?.type === EVENT_ID.SCALAR && this.isMergeKey(event)
    const key = this.key(this.node(), start)
    this.keys.push(key)
    const value = this.node()
    this.keys.pop()
    if (isMerge) {
      merges.push(value)
      return
    }
    if (key === '__proto__') this.fail('a key named __proto__ is not supported', start)
    if (Object.hasOwn(map, key) && !this.mayRepeat()) {
      this.fail(`mapping key "${key}" already defined`, start)
    }
    map[key] = value
    if (this.hasComments) this.readComment(map, key, start)
  }

  mayRepeat(): boolean {
    const { duplicateKeys } = this.options
    return duplicateKeys === 'last' || (duplicateKeys === 'lastAnnotation' && this.isInAnnotations())
  }

  /** kustomize makes texts of all annotations, whatever they are. */
  isInAnnotations(): boolean {
    const [first, second] = this.keys
    return this.options.dialect === 'kustomize' && first === 'metadata' && second === 'annotations'
  }

  /** Some tools keep notes in comments, and kustomize reads one kind: a JSON schema behind a key. */
  readComment(map: YamlMap, key: string, start: number): void {
    const end = this.source.indexOf('\n', start)
    const comment = /\s#\s*(\{.*\})\s*$/.exec(this.source.slice(start, end < 0 ? undefined : end))
    if (comment?.[1] !== undefined) setJsonComments(map, { ...jsonComments(map), [key]: comment[1] })
  }

  isMergeKey(event: ScalarEvent): boolean {
    if (event.style !== SCALAR_STYLE.PLAIN || event.valueEnd - event.valueStart !== 2) return false
    return this.source.startsWith('<<', event.valueStart)
  }

  key(key: YamlValue, start: number): string {
    if (typeof key === 'string') return key
    if (key instanceof SourceScalar && typeof key.value === 'string') return key.text
    if (Array.isArray(key) || (typeof key === 'object' && key !== null && !(key instanceof SourceScalar))) {
      return this.fail('a map key must be a scalar', start)
    }
    if (this.options.dialect === 'kubernetes') return String(key instanceof SourceScalar ? key.value : key)
    const text = key instanceof SourceScalar ? key.text : String(key)
    return this.fail(`the map key ${text} is not a string; put it in quotes`, start)
  }

  /** Keys of the map itself win; of several merged maps the first wins. */
  mergeInto(map: YamlMap, merge: YamlValue, inBrackets: boolean): void {
    const sources = Array.isArray(merge) ? merge : [merge]
    for (const source of sources) {
      if (
        typeof source !== 'object' ||
        source === null ||
        Array.isArray(source) ||
        source instanceof SourceScalar
      ) {
        this.fail('map merge requires map or sequence of maps as the value', this.position)
      }
      for (const [key, value] of Object.entries(source)) {
        if (Object.hasOwn(map, key)) continue
        map[key] = value instanceof EmptyInBrackets && !inBrackets ? new SourceScalar('', null, false) : value
      }
    }
  }

  anchored(event: { anchorStart: number; anchorEnd: number }, value: YamlValue): YamlValue {
    if (event.anchorStart >= 0) this.anchors.set(this.source.slice(event.anchorStart, event.anchorEnd), value)
    return value
  }

  alias(name: string, position: number): YamlValue {
    this.position = position
    const value = this.anchors.get(name)
    if (value === undefined) return this.fail(`unknown anchor '${name}' referenced`, position)
    if (this.unfinished.has(value)) return this.fail(`the anchor '${name}' contains itself`, position)
    return this.copy(value, 0)
  }

  copy(value: YamlValue, depth: number): YamlValue {
    this.spend(1)
    if (depth > this.options.maxDepth) this.fail('an alias is nested too deep', this.position)
    if (typeof value !== 'object' || value === null || value instanceof SourceScalar) return value
    if (Array.isArray(value)) return value.map((item) => this.copy(item, depth + 1))
    const map: YamlMap = {}
    for (const key in value) map[key] = this.copy(value[key] ?? null, depth + 1)
    return map
  }

  spend(nodes: number): void {
    this.options.budget.nodes -= nodes
    if (this.options.budget.nodes < 0)
      this.fail('the document has too many nodes (are its aliases nested?)', this.position)
  }

  fail(message: string, position: number): never {
    return YAMLException.throwAt(this.source, Math.max(position, 0), message)
  }
}
