import { expect, it } from 'vitest'
import { build } from '../build.ts'
import { memoryFiles } from '../files/memory-files.ts'
import type { OpenFile } from '../types.ts'
import { createParseCache } from './cache.ts'

const file = { documents: [] }

it('the parse that was not used for the longest time goes first', () => {
  const cache = createParseCache({ maxBytes: 20 })
  cache.set('a', file, 10)
  cache.set('b', file, 10)
  cache.get('a')
  cache.set('c', file, 5)
  expect(['a', 'b', 'c'].map((key) => cache.get(key) !== undefined)).toEqual([true, false, true])
  expect(cache.size).toBe(15)
})

it('what is bigger than the cache is not kept', () => {
  const cache = createParseCache({ maxBytes: 20 })
  cache.set('a', file, 21)
  expect(cache.size).toBe(0)
})

const files = memoryFiles({
  'kustomization.yaml': 'resources: [a.yaml]\npatches: [{path: p.yaml}]',
  'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  'p.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {secret: value}\n',
})

function keysAfter(openFile?: OpenFile): string[] {
  const cache = createParseCache()
  const keys: string[] = []
  const watched = { ...cache, set: (key: string) => keys.push(key) }
  build(files, '', openFile === undefined ? { cache: watched } : { cache: watched, openFile })
  return keys
}

it('files are known by their content where the tree has no ids', () => {
  expect(keysAfter().filter((key) => key.includes('sha1:'))).toHaveLength(2)
})

it('what was opened for a patch is not kept', () => {
  expect(keysAfter().some((key) => key.includes('value'))).toBe(true)
  expect(keysAfter(({ content }) => content).some((key) => key.includes('value'))).toBe(false)
})
