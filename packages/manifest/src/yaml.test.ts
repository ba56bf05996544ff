import { describe, expect, it } from 'vitest'
import { parseYaml, parseYamlSource, plainValue, printYaml, SourceScalar } from './yaml.ts'

const read = (text: string) => parseYaml(text).documents[0]?.value
const readKustomize = (text: string) =>
  plainValue(parseYamlSource(text, { dialect: 'kustomize' }).documents[0]?.value ?? null)

describe('scalars', () => {
  it('reads YAML 1.1 words as Kubernetes does', () => {
    expect(read('{a: yes, b: off, c: ~, d: "yes"}')).toEqual({ a: true, b: false, c: null, d: 'yes' })
  })
  it('keeps yes and on as strings for kustomize', () => {
    expect(readKustomize('{a: yes, b: on, c: true}')).toEqual({ a: 'yes', b: 'on', c: true })
  })
  it('reads octal, hexadecimal, binary and grouped numbers', () => {
    expect(read('[0o755, 0755, 0x1F, 0b11, 1_000, +5, 1e3, .5]')).toEqual([
      493, 493, 31, 3, 1000, 5, 1000, 0.5,
    ])
  })
  it('keeps integers beyond 2^53 exact', () => {
    expect(read('a: 12345678901234567890')).toEqual({ a: 12345678901234567890n })
  })
  it('reads a date as text for Kubernetes and as a time for kustomize', () => {
    expect(read('a: 2020-01-01')).toEqual({ a: '2020-01-01' })
    expect(readKustomize('a: 2020-01-01')).toEqual({ a: '2020-01-01T00:00:00Z' })
  })
  it('keeps the text of what is not written as it is printed', () => {
    const value = parseYamlSource('a: 1.10\nb: "x"\nc: 7', { dialect: 'kustomize' }).documents[0]?.value
    expect(value).toEqual({
      a: new SourceScalar('1.10', 1.1, false),
      b: new SourceScalar('x', 'x', true),
      c: 7,
    })
  })
})

describe('structure', () => {
  it('merges maps, with the keys of the map itself first', () => {
    expect(read('base: &b {p: 1, q: 2}\nuse:\n  <<: *b\n  q: 3')).toMatchObject({ use: { p: 1, q: 3 } })
  })
  it('parts documents and knows the line of each', () => {
    const { documents } = parseYaml('# one\na: 1\n---\n\n---\r\n# two\n\nb: 2\n')
    expect(documents).toEqual([
      { value: { a: 1 }, line: 2 },
      { value: { b: 2 }, line: 8 },
    ])
  })
  it('drops a byte order mark', () => {
    expect(read('\uFEFFa: 1')).toEqual({ a: 1 })
  })
})

describe('bad input', () => {
  it('refuses a repeated key with its line', () => {
    expect(parseYaml('x: 0\n---\na: 1\na: 2').problems).toEqual([
      { message: 'mapping key "a" already defined', line: 4, column: 1 },
    ])
  })
  it('names the line of a syntax error in a later document', () => {
    expect(parseYaml('a: 1\n---\nb: [1, 2\n').problems[0]?.line).toBe(4)
  })
  it('bounds nested aliases', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
    for (let at = 1; at < 10; at += 1) {
      const before = String.fromCharCode(96 + at)
      const name = String.fromCharCode(97 + at)
      lines.push(`${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}]`)
    }
    expect(parseYaml(lines.join('\n'), { maxNodes: 100_000 }).problems[0]?.message).toMatch(/too many nodes/)
  })
  it('bounds depth', () => {
    expect(parseYaml('['.repeat(5000)).problems).toHaveLength(1)
  })
})

describe('printing', () => {
  it('sorts keys and quotes what would be read as something else', () => {
    const text = printYaml({
      b: 'yes',
      a10: '1',
      a2: 'x: y',
      a: ['- x', {}, []],
      n: null,
      f: 1e100,
      d: '2020-01-01',
    })
    expect(text).toBe(
      'a:\n- \'- x\'\n- {}\n- []\na2: \'x: y\'\na10: "1"\nb: "yes"\nd: "2020-01-01"\nf: 1e+100\n"n": null\n',
    )
  })
  it('writes lines as a block with the right chomping', () => {
    expect(printYaml({ a: 'x\ny\n', b: 'x\n y', c: ' x\n\n' })).toBe(
      'a: |\n  x\n  y\nb: |-\n  x\n   y\nc: |2+\n   x\n\n',
    )
  })
  it('nests lists and maps in lists', () => {
    expect(printYaml([[1, { a: [2] }]])).toBe('- - 1\n  - a:\n    - 2\n')
  })
})
