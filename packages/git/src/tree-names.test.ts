import { expect, test } from 'vitest'
import { checkName } from './tree-names.ts'

test.each([
  '..',
  '.',
  '',
  '.git',
  '.GIT',
  '.gIt',
  'git~1',
  'GIT~1',
  '.g\u200cit',
  '.git\u200d',
  '.git ',
  '.git.',
  '.git. .',
  '.git::$INDEX_ALLOCATION',
  'a/b',
  'a\\..\\b',
  '..\\b',
  '.git\\config',
  'a\\.GIT',
  'a\0b',
])('a name that reaches out or into a repository is refused: %j', (name) => {
  expect(() => checkName(name, 'apps')).toThrow('illegal name')
})

test.each(['.gitignore', '.gitattributes', 'git', 'x.git', '...', 'a:b.yaml', 'ünï', '.github'])(
  '%s is a name',
  (name) => {
    expect(() => checkName(name, '')).not.toThrow()
  },
)
