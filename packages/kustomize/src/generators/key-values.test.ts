import { describe, expect, it } from 'vitest'
import { build } from '../build.ts'
import { memoryFiles } from '../files/memory-files.ts'
import type { GeneratorArgs } from '../kustomization/types.ts'

function generate(args: GeneratorArgs) {
  const files = memoryFiles({
    'kustomization.yaml': JSON.stringify({ configMapGenerator: [{ name: 'a', ...args }] }),
    'vars.env': '\uFEFFA=1\r\n# note\n\n  B = two \nC\n=none\n',
    'conf/app.ini': 'x\n',
    'logo.png': Uint8Array.from([0xff, 0xd8]),
  })
  const { resources, problems } = build(files, '')
  return { object: resources[0]?.object, problem: problems[0] }
}

describe('a generator', () => {
  it('reads an env file line by line', () => {
    expect(generate({ envs: ['vars.env'] }).object).toMatchObject({ data: { A: '1', 'B ': ' two ', C: '' } })
  })

  it('takes one pair of quotes off a literal', () => {
    expect(generate({ literals: ['a="x"', `b='"y"'`, 'c=d=e'] }).object).toMatchObject({
      data: { a: 'x', b: '"y"', c: 'd=e' },
    })
  })

  it('names a file by its base name or as it is told, and keeps bytes that are no text', () => {
    expect(generate({ files: ['conf/app.ini', 'pic=logo.png'] }).object).toMatchObject({
      data: { 'app.ini': 'x\n' },
      binaryData: { pic: '/9g=' },
    })
  })

  it.each([
    ['a literal without a value', { literals: ['a'] }, /invalid literal 'a'/],
    ['a file source with two signs', { files: ['a=b=c'] }, /more than one '='/],
    ['a file source without a key', { files: ['=logo.png'] }, /missing key/],
    ['a key twice', { literals: ['A=1'], envs: ['vars.env'] }, /repeats the key 'A'/],
    ['a missing file', { files: ['none'] }, /'none' does not exist/],
  ])('refuses %s', (_what, args, message) => {
    expect(generate(args).problem?.message).toMatch(message)
  })
})
