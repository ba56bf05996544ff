import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { readState, type SourceState, STATE_FORMAT } from './state.ts'
import { StateStore } from './state-store.ts'

const state: SourceState = {
  format: STATE_FORMAT,
  urlDigest: 'sha256:a',
  resolved: 'main@sha1:b',
  revision: 'main@sha1:b',
  id: 'b',
  subject: 'first',
  ignore: '',
  recipe: 'c',
  included: [],
  tree: { digest: 'sha256:d', files: 1, snapshot: { digest: 'sha256:e', size: 1, object: 'tree/e' } },
}

test('a state comes back as it was saved, and goes with its object; so does whatever else lies there', async () => {
  await using home = await temporaryDirectory('states')
  const store = new StateStore(home.path)
  await store.save('a-1', state)
  await store.save('b-2', state)
  await mkdir(join(home.path, 'lost+found', 'deep'), { recursive: true })
  await writeFile(join(home.path, '.state.json.swp'), 'junk')
  await store.keepOnly(new Set(['a-1']))
  expect(await readdir(home.path)).toEqual(['a-1'])
  expect(await store.load('a-1')).toEqual(state)
  expect(await store.load('b-2')).toBeUndefined()
})

test.each([
  ['of the format before this one', { ...state, format: STATE_FORMAT - 1 }],
  ['of a format to come', { ...state, format: STATE_FORMAT + 1 }],
  ['without a format', { ...state, format: undefined }],
  ['whose archive is none', { ...state, archive: { path: 5 } }],
])('a state %s is none', (_what, other) => {
  expect(readState(JSON.stringify(other))).toBeUndefined()
})

test('half a state, wherever it ends, is none', () => {
  const json = JSON.stringify(state)
  for (let length = 0; length < json.length; length += 1)
    expect(readState(json.slice(0, length))).toBeUndefined()
})
