import type { ImageReference } from '@setpoint/contracts'
import { describe, expect, it } from 'vitest'
import { isSetterFile, setImages } from './set-images.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const images = new Map<string, ImageReference>([
  ['apps:web', { name: 'ghcr.io/team/web', tag: '2.0.0' }],
  ['apps:pinned', { name: 'ghcr.io/team/pinned', tag: '3.0.0', digest: DIGEST }],
  ['apps:number', { name: 'ghcr.io/team/number', tag: '1.10' }],
  ['apps:long', { name: 'ghcr.io/team/long', tag: '20240101' }],
])

const mark = (setter: string) => `# {"$imagepolicy": "${setter}"}`
const set = (text: string | Buffer) => setImages(Buffer.from(text), images)
const textOf = ({ changed }: { changed?: Uint8Array }) =>
  changed === undefined ? undefined : Buffer.from(changed).toString('utf8')

/** Texts with «old→new» where the one change is expected. */
function expectOnly(template: string): void {
  const before = template.replaceAll(/«([^→]*)→([^»]*)»/g, '$1')
  const after = template.replaceAll(/«([^→]*)→([^»]*)»/g, '$2')
  const result = set(before)
  expect(result.problems).toEqual([])
  expect(textOf(result)).toBe(after)
}

describe('a marked value is changed, and not one byte beside it', () => {
  it.each([
    ['a plain image', `image: «ghcr.io/team/web:1.0.0→ghcr.io/team/web:2.0.0» ${mark('apps:web')}\n`],
    ['no line break at the end', `image: «a:1→ghcr.io/team/web:2.0.0» ${mark('apps:web')}`],
    ['a double-quoted image', `image: "«a:1→ghcr.io/team/web:2.0.0»"   ${mark('apps:web')}\n`],
    ['a single-quoted image', `image: '«a:1→ghcr.io/team/web:2.0.0»' ${mark('apps:web')}\n`],
    ['a tag', `tag: «1.0.0→2.0.0» ${mark('apps:web:tag')}\n`],
    ['a name', `name: «old→ghcr.io/team/web» ${mark('apps:web:name')}\n`],
    ['a digest', `digest: «x→${DIGEST}» ${mark('apps:pinned:digest')}\n`],
    ['an image with its digest', `image: «a→ghcr.io/team/pinned:3.0.0@${DIGEST}» ${mark('apps:pinned')}\n`],
    ['a tag that reads as a number', `tag: «1.9→"1.10"» ${mark('apps:number:tag')}\n`],
    ['a tag that reads as a date', `tag: «x→"20240101"» ${mark('apps:long:tag')}\n`],
    ['a quoted number', `tag: '«1.9→1.10»' ${mark('apps:number:tag')}\n`],
    ['an item of a list', `images:\n  - «a:1→ghcr.io/team/web:2.0.0» ${mark('apps:web')}\n  - b:1\n`],
    ['the item below', `images:\n  ${mark('apps:web')}\n  - «a:1→ghcr.io/team/web:2.0.0»\n  - b:1\n`],
    ['a value in a flow mapping', `a: {image: «a:1→ghcr.io/team/web:2.0.0», ${mark('apps:web')}\n  b: 1}\n`],
    ['the last value of a flow list', `a: [\n  x,\n  «a:1→ghcr.io/team/web:2.0.0» ${mark('apps:web')}\n]\n`],
    ['an anchor', `image: &image «a:1→ghcr.io/team/web:2.0.0» ${mark('apps:web')}\nother: *image\n`],
    ['a tag of YAML', `image: !!str «a:1→ghcr.io/team/web:2.0.0» ${mark('apps:web')}\n`],
    ['an unknown tag of YAML', `image: !Ref «a:1→ghcr.io/team/web:2.0.0» ${mark('apps:web')}\n`],
    ['a block text', `image: |- ${mark('apps:web')}\n  «a:1→ghcr.io/team/web:2.0.0»\nb: 1\n`],
    ['CRLF', `a: 1\r\nimage: «a:1→ghcr.io/team/web:2.0.0» ${mark('apps:web')}\r\nb: 2\r\n`],
    ['a byte order mark', `\uFEFFimage: «a:1→ghcr.io/team/web:2.0.0» ${mark('apps:web')}\n`],
    [
      'comments and blank lines',
      `# a\n\nimage:    «a:1→ghcr.io/team/web:2.0.0»\t${mark('apps:web')}  \n\n# end`,
    ],
    ['other scripts', `note: "Grüße 🐧" # ✓\nimage: «a:1→ghcr.io/team/web:2.0.0» ${mark('apps:web')}\n`],
    [
      'several documents',
      `--- # first\nimage: «a:1→ghcr.io/team/web:2.0.0» ${mark('apps:web')}\n---\nb: [\n---\ntag: «1→2.0.0» ${mark('apps:web:tag')}\n...\n`,
    ],
    [
      'the images of a kustomization',
      `resources: [a.yaml]\nimages:\n- name: web\n  newName: «x→ghcr.io/team/web» ${mark('apps:web:name')}\n  newTag: «"1"→"2.0.0"» ${mark('apps:web:tag')}\n`,
    ],
    [
      'the values of a HelmRelease',
      `spec:\n  values:\n    image:\n      repository: «x→ghcr.io/team/web» ${mark('apps:web:name')}\n      tag: «1.0.0→2.0.0» ${mark('apps:web:tag')}\n`,
    ],
    ['two spaces in the marker', `image: «a:1→ghcr.io/team/web:2.0.0» #  {  "$imagepolicy" :"apps:web"  }\n`],
  ])('%s', (_what, template) => expectOnly(template))

  it('and the change says what, where and in which object', () => {
    const head = 'kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web, namespace: apps}\n'
    const result = set(`a: 1\n---\n${head}image: a:1 ${mark('apps:web')}\n`)
    expect(result.changes).toEqual([
      {
        setter: 'apps:web',
        oldValue: 'a:1',
        newValue: 'ghcr.io/team/web:2.0.0',
        line: 6,
        object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'apps', name: 'web' },
      },
    ])
  })
})

describe('nothing is changed', () => {
  it.each([
    ['a value that is right', `image: ghcr.io/team/web:2.0.0 ${mark('apps:web')}\n`],
    [
      'a marker with more text after it',
      `image: a:1 ${mark('apps:web')} and more\n`.replace('{"', '{ see "'),
    ],
    ['no marker', 'image: a:1 # nothing\n'],
    ['a marker inside a text', `text: |\n  image: a:1 ${mark('apps:web')}\n`],
  ])('%s', (_what, text) => {
    expect(set(text).changed).toBeUndefined()
  })

  it.each(['other:web', 'apps:unknown', 'apps:unknown:tag'])(
    '%s is nobody’s policy: it is told',
    (setter) => {
      const result = set(`a: 1\nimage: a:1 ${mark(setter)}\n`)
      expect(result.changed).toBeUndefined()
      expect(result.unknown).toEqual([{ setter, line: 2 }])
    },
  )

  it.each([
    ['broken JSON', 'image: a:1 # {"$imagepolicy": "apps:web"\n', 'is not JSON'],
    ['text after the JSON', `image: a:1 ${mark('apps:web')} x\n`, 'is not JSON'],
    ['another part', `image: a:1 ${mark('apps:web:sha')}\n`, 'is not namespace:policy'],
    ['a number', 'image: a:1 # {"$imagepolicy": 1}\n', 'must be a text'],
    ['a digest that the policy does not take', `digest: x ${mark('apps:web:digest')}\n`, 'takes no digest'],
    ['an alias', `a: &a x:1\nimage: *a ${mark('apps:web')}\n`, 'no plain value'],
    ['a whole list', `a: [x, y] ${mark('apps:web')}\n`, 'no plain value'],
    ['a key', `image: ${mark('apps:web')}\n  a: 1\n`, 'no plain value'],
    ['a text of several lines', `image: | ${mark('apps:web')}\n  a\n  b\n`, 'several lines'],
  ])('%s is a problem of its line, and other markers are obeyed', (_what, text, says) => {
    const result = set(`${text}other: a:1 ${mark('apps:web')}\n`)
    expect(result.problems.map(({ message }) => message).join()).toContain(says)
    expect(result.changes).toHaveLength(1)
  })

  it.each([
    ['what is no YAML', `image: a:1 ${mark('apps:web')}\n\tb: [\n`, 'not YAML'],
    ['a key that is there twice', `image: a:1 ${mark('apps:web')}\nimage: b\n`, 'not YAML'],
    [
      'what is no UTF-8',
      Buffer.concat([Buffer.from(`image: a:1 ${mark('apps:web')}\n`), Buffer.of(0xff)]),
      'UTF-8',
    ],
    ['two policies for one value', `${mark('apps:web')}\n- a:1 ${mark('apps:pinned')}\n`, 'marked as'],
    [
      '10 MB in one document',
      `image: a:1 ${mark('apps:web')}\na: "${'x'.repeat(10_000_000)}"\n`,
      'larger than',
    ],
  ])('%s leaves the whole file alone', (_what, text, says) => {
    const result = set(
      Buffer.concat([Buffer.from(`image: a:1 ${mark('apps:web')}\n---\n`), Buffer.from(text)]),
    )
    expect(result.changed).toBeUndefined()
    expect(result.changes).toEqual([])
    expect(result.problems).toEqual([
      expect.objectContaining({ isFatal: true, message: expect.stringContaining(says) }),
    ])
  })

  it('10 MB of many documents are read where a marker is', () => {
    const plain = `a: "${'x'.repeat(1000)}"\n---\n`.repeat(10_000)
    expect(textOf(set(`${plain}image: a:1 ${mark('apps:web')}\n`))).toBe(
      `${plain}image: ghcr.io/team/web:2.0.0 ${mark('apps:web')}\n`,
    )
  })
})

it.each([
  ['apps/web.yaml', true],
  ['apps/web.yml', true],
  ['apps/Kustomization', true],
  ['MyKustomization', false],
  ['README.md', false],
  ['a.yaml.tmpl', false],
])('%s is a file that is looked at: %s', (path, expected) => {
  expect(isSetterFile(path)).toBe(expected)
})
