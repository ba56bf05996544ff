import { expect, test } from 'vitest'
import { compileExpression, parseExpression } from './expression.ts'

const object = {
  metadata: { name: 'db', generation: 3, labels: { app: 'db', tier: 'data' } },
  spec: { replicas: 3, ratio: 0.5, tags: ['a', 'b'], nothing: null, big: 9007199254740993n },
  status: {
    observedGeneration: 3,
    readyReplicas: 2,
    conditions: [
      { type: 'Ready', status: 'True', observedGeneration: 3 },
      { type: 'Synced', status: 'False', reason: 'Conflict' },
    ],
  },
}

const evaluate = (text: string, variables: Record<string, unknown> = object) =>
  parseExpression(text).evaluateBoolean(variables)

test.each([
  // What people write in Flux.
  `status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True' && e.observedGeneration == metadata.generation)`,
  `status.conditions.exists(e, e.type == 'Ready' && e.status == 'True')`,
  `status.conditions.exists_one(e, e.status == 'False')`,
  `has(status.conditions) && !has(status.phase)`,
  `status.conditions.map(e, e.type) == ['Ready', 'Synced']`,
  `status.conditions.map(e, e.status == 'True', e.type)[0] == 'Ready'`,
  `metadata.labels.all(key, key.size() > 2) && 'app' in metadata.labels`,
  // Optionals.
  `status.?phase.orValue('none') == 'none'`,
  `!status.?phase.hasValue() && status.conditions[?5].?type.orValue('') == ''`,
  `status.?phase.or(optional.of('x')).value() == 'x'`,
  // Numbers.
  `spec.replicas == 3 && spec.replicas == 3.0 && spec.replicas == 3u && 1 == 1.0`,
  `spec.replicas > 2.5 && 2.5 < spec.replicas && spec.ratio < 1 && status.readyReplicas + 1 == spec.replicas`,
  `spec.replicas % 2 == 1 && -spec.replicas == -3 && type(spec.replicas) == int && type(spec.ratio) == double`,
  `spec.big == 9007199254740993 && spec.nothing == null`,
  // Errors on one side of a decision that the other side makes.
  `status.nothing == 1 || true`,
  `!(status.nothing == 1 && false)`,
  // Strings.
  `'tacocat'.charAt(1) == 'a' && 'abc'.reverse() == 'cba' && 'abc'.replace('b', 'x') == 'axc'`,
  `'aaa'.replace('a', 'b', 2) == 'bba' && strings.quote('a"b') == '"a\\\\"b"'`,
  `'a,b'.split(',').join('-') == 'a-b' && ' x '.trim() == 'x' && 'Ab'.lowerAscii() == 'ab'`,
  `'abcb'.indexOf('b') == 1 && 'abcb'.lastIndexOf('b') == 3 && 'abc'.substring(1, 2) == 'b'`,
  `'%s has %d of %.1f%%'.format(['db', 2, 66.66]) == 'db has 2 of 66.7%' && '%x'.format([255]) == 'ff'`,
  `metadata.name.matches('^d.$') && !matches('db', 'x+') && 'DB'.matches('(?i)db')`,
  // Sets and encoders.
  `sets.contains(spec.tags, ['a']) && !sets.contains(spec.tags, ['c'])`,
  `sets.equivalent([1, 2, 2], [2.0, 1]) && sets.intersects(spec.tags, ['b', 'c']) && !sets.intersects([], [1])`,
  `base64.encode(b'hello') == 'aGVsbG8=' && string(base64.decode('aGVsbG8=')) == 'hello'`,
  // Times, bindings, choices.
  `timestamp('2026-01-01T00:00:00Z') + duration('1h') == timestamp('2026-01-01T01:00:00Z')`,
  `cel.bind(ready, status.readyReplicas, ready > 1 ? ready < spec.replicas : false)`,
])('true: %s', (text) => {
  expect(evaluate(text)).toBe(true)
})

test.each([
  ['a field that is not there', 'status.phase == "x"', 'column 8: No such key: phase'],
  ['an unknown name', 'state.phase == "x"', 'column 1: Unknown variable: state'],
  ['no boolean', 'metadata.name', 'must say true or false'],
  ['a name of JavaScript', 'constructor == 1', 'Unknown variable: constructor'],
  ['a pattern that is none', `'a'.matches('(')`, 'error parsing regexp'],
])('%s is an error that names expression and column', (_what, text, problem) => {
  expect(() => evaluate(text)).toThrow(`expression '${text}': `)
  expect(() => evaluate(text)).toThrow(problem)
})

test('what is no expression is refused when it is read', () => {
  expect(() => parseExpression('status.ready ==\n  ')).toThrow(
    "expression 'status.ready ==': line 2, column 3: Unexpected token: EOF",
  )
  expect(() => parseExpression(`'${'a'.repeat(20_000)}'`)).toThrow('longer than 16384 characters')
  expect(() => parseExpression(`${'('.repeat(5_000)}1`)).toThrow(/nesting|depth/i)
})

test.each([
  ['an unknown name', 'other.status.ready', 'column 1: Unknown variable: other'],
  ['another type', `'yes'`, 'must say true or false, but is of type string'],
  ['operands that do not fit', `1 + 'a' == 2`, 'no such overload'],
  ['an unknown function', 'dep.status.healthy()', `no matching overload for 'dyn.healthy()'`],
])('compiled against its variables, %s is refused', (_what, text, problem) => {
  expect(() => compileExpression(text, ['self', 'dep'])).toThrow(problem)
})

test('a compiled expression sees its variables', () => {
  const text = `dep.metadata.labels['version'] == self.metadata.labels['version'] && dep.status.ready`
  const of = (version: string, ready?: boolean) => ({ metadata: { labels: { version } }, status: { ready } })
  const expression = compileExpression(text, ['self', 'dep'])
  expect(expression.evaluateBoolean({ self: of('1'), dep: of('1', true) })).toBe(true)
  expect(expression.evaluateBoolean({ self: of('1'), dep: of('2', true) })).toBe(false)
})

test('an expression that would take too long is refused before it runs', () => {
  const items = Array.from({ length: 1_000 }, (_, index) => index)
  expect(evaluate('items.all(a, items.exists(b, b == a))', { items })).toBe(true)
  const three = 'items.all(a, items.all(b, items.all(c, a + b + c >= 0)))'
  expect(() => evaluate(three, { items })).toThrow('nest fewer loops')
  const doubled = Array.from({ length: 40 }, (_, index) => `cel.bind(a${index + 1}, a${index} + a${index}, `)
  expect(() => evaluate(`cel.bind(a0, 'x', ${doubled.join('')}true${')'.repeat(41)}`)).toThrow(
    'nest fewer loops',
  )
  expect(() => evaluate(`'${'a'.repeat(40)}!'.matches('(a+)+$')`)).not.toThrow()
})
