import { describe, expect, test } from 'vitest'
import { substitute } from './substitute.ts'

const variables = new Map(
  Object.entries({
    v: 'value',
    e: '',
    p: 'a/b/c.tar.gz',
    dots: 'x.y.z',
    uni: 'héllo',
    name: 'NAME',
    b_1: 'one',
  }),
)
const strict = (text: string) => substitute(text, variables, { strict: true })

describe('forms that Flux accepts', () => {
  // Every row was checked against Flux's own library.
  test.each([
    ['${v}', 'value'],
    ['a ${v}${v} b', 'a valuevalue b'],
    ['${#v}', '5'],
    ['${#uni}', '6'],
    ['${v^}', 'Value'],
    ['${v^^}', 'VALUE'],
    ['${name,}', 'nAME'],
    ['${name,,}', 'name'],
    ['${v:1}', 'alue'],
    ['${v:1:2}', 'al'],
    ['${v:9}', ''],
    ['${v: -1}', 'value'],
    ['${p#*/}', 'b/c.tar.gz'],
    ['${p##*/}', 'c.tar.gz'],
    ['${p#[a-c]/}', 'b/c.tar.gz'],
    ['${p#?}', '/b/c.tar.gz'],
    ['${p#[}', 'a/b/c.tar.gz'],
    ['${p%%[a-z]z}', 'a/b/c.tar.gz'],
    ['${v: -1:2}', 'value'],
    ['${v:-1}', 'value'],
    ['${v:1:-1}', 'alu'],
    ['${dots//./}', 'xyz'],
    ['${v/#va/}', 'value'],
    ['${v/${e}/x}', 'xvalue'],
    ['${v,^}', 'value'],
    ['${p%.*}', 'a/b/c.tar'],
    ['${p%%.*}', 'a/b/c'],
    ['${v/a/b}', 'vblue'],
    ['${dots//./-}', 'x-y-z'],
    ['${p/\\//-}', 'a-b/c.tar.gz'],
    ['${v/#va/X}', 'Xlue'],
    ['${v/%ue/X}', 'valX'],
    ['${v/a/${b_1}}', 'vonelue'],
    ['${u=d}', 'd'],
    ['${u:=d}', 'd'],
    ['${u:-d}', 'd'],
    ['${e:-d}', 'd'],
    ['${e=d}', 'd'],
    ['${u:-}', ''],
    ['${u:-a${v}b}', 'avalueb'],
    ['${u:-${z:-deep}}', 'deep'],
    ['${u:-http://x.y/z?a=b&c=d}', 'http://x.y/z?a=b&c=d'],
  ])('%s gives %s', (text, want) => {
    expect(strict(text)).toEqual({ text: want })
  })

  test.each([
    ['${v:+x}', 'value'],
    ['${u:+x}', 'x'],
    ['${u:?x}', 'x'],
  ])('%s acts as :- and gives %s', (text, want) => {
    expect(strict(text)).toEqual({ text: want })
  })

  test.each([
    ['$v', '$v'],
    ['$${v}', '${v}'],
    ['$$${v}', '$value'],
    ['$$', '$'],
    ['a $ b }', 'a $ b }'],
    ['echo $(date) $((1+2)) $@ $# $?', 'echo $(date) $((1+2)) $@ $# $?'],
    ['\\${v}', '\\value'],
  ])('a dollar without braces stays: %s gives %s', (text, want) => {
    expect(strict(text)).toEqual({ text: want })
  })
})

describe('forms that Flux refuses', () => {
  test.each([
    '${v-d}',
    '${v+x}',
    '${v?}',
    '${a.b}',
    '${{ v }}',
    '${ v }',
    '${',
    '${v',
    '${}',
    '${v/l}',
    '${v:}',
    '${v#}',
    '${v^^^}',
    '${!v}',
    '${v:1${v}}',
    '${uni:2}',
    '${v:é}',
  ])('%s is a problem', (text) => {
    expect(strict(text).problem).toBeDefined()
  })
})

test('an unset variable is named with its line and column in strict mode', () => {
  expect(strict('a: 1\nb: x ${missing}\n').problem).toEqual({
    code: 'NotSet',
    message: 'variable "missing" is not set and has no default',
    variable: 'missing',
    line: 2,
    column: 6,
  })
})

test('an unset variable counts as empty when not strict', () => {
  expect(substitute('a${missing}b${#missing}', variables, { strict: false })).toEqual({ text: 'ab0' })
})

test('a result beyond the bound and nesting without end are refused', () => {
  const long = new Map([['x', 'y'.repeat(1_000)]])
  expect(
    substitute('${x}'.repeat(100), long, { strict: true, maxLength: 10_000 }).problem?.message,
  ).toContain('longer than')
  expect(strict('${u:-'.repeat(100_000)).problem?.message).toContain('nested deeper')
})

test('a problem shows the template and never a value', () => {
  const secret = new Map([['token', 'hunter2']])
  const { problem } = substitute('${token}${token-x}', secret, { strict: true })
  expect(JSON.stringify(problem)).not.toContain('hunter2')
})

test('a bad variable name is a problem even where no variable is used', () => {
  const { problem } = substitute('a', new Map([['my-name', 'x']]))
  expect(problem).toMatchObject({ code: 'InvalidName', variable: 'my-name' })
})

test('a pattern and a value that are both long end in bounded time', () => {
  const long = new Map([
    ['x', 'a'.repeat(100_000)],
    ['glob', '*a'.repeat(10_000)],
  ])
  expect(substitute('${x##${glob}}', long).problem?.code).toBe('TooLarge')
  expect(substitute('${x//a/${x}}', long).problem?.code).toBe('TooLarge')
})
