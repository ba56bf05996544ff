import { expect, it } from 'vitest'
import { splitFieldPath, splitPath } from './path.ts'

it.each([
  ['/a/b', ['a', 'b']],
  ['a/b\\/c', ['a', 'b/c']],
  ['a', ['a']],
])('the path %j of a field spec is parted at its slashes', (path, parts) => {
  expect(splitPath(path, '/')).toEqual(parts)
})

it.each([
  ['spec.list.[name=a.b].x', ['spec', 'list', '[name=a.b]', 'x']],
  ['metadata.annotations.[a.b/c]', ['metadata', 'annotations', 'a.b/c']],
  ['data.conf\\.yaml.x', ['data', 'conf.yaml', 'x']],
  ['spec.*.0.-', ['spec', '*', '0', '-']],
])('a dot within the brackets of %j, or behind a backslash, is part of a name', (path, parts) => {
  expect(splitFieldPath(path, '.')).toEqual(parts)
})
