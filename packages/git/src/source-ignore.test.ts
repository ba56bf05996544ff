import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileIgnore } from './source-ignore.ts'

const excluded = (options: Parameters<typeof compileIgnore>[0], ...paths: string[]) => {
  const ignore = compileIgnore(options)
  return paths.filter((path) => ignore.excludes(path))
}

test('without any pattern the defaults leave out pictures, archives and CI files', () => {
  const paths = ['a/logo.png', '.github/workflows/ci.yml', 'x.tar.gz', 'deep/.sops.yaml', 'a/app.yaml']
  expect(excluded({ files: [] }, ...paths)).toEqual(paths.slice(0, 4))
})

test('one pattern anywhere turns the defaults off, but not what belongs to Git', () => {
  const paths = ['logo.png', '.gitignore', 'sub/.gitattributes', 'notes.txt']
  expect(excluded({ files: [], spec: '*.txt' }, ...paths)).toEqual(paths.slice(1))
})

test('comments and empty lines are no patterns', () => {
  expect(excluded({ files: [{ path: '.sourceignore', content: '# none\n\n' }] }, 'logo.png')).toEqual([
    'logo.png',
  ])
})

test('a nested .sourceignore holds for its directory only', () => {
  const files = [{ path: 'apps/.sourceignore', content: '*.md\n/top.yaml\nlocal/only.yaml\n' }]
  expect(
    excluded(
      { files },
      'README.md',
      'apps/README.md',
      'apps/deep/x.md',
      'apps/top.yaml',
      'apps/deep/top.yaml',
      'apps/local/only.yaml',
      'apps/deep/local/only.yaml',
    ),
  ).toEqual(['apps/README.md', 'apps/deep/x.md', 'apps/top.yaml', 'apps/local/only.yaml'])
})

test('spec.ignore comes last and takes files back in', () => {
  const files = [{ path: '.sourceignore', content: '/*\n' }]
  const spec = '!/deploy\n/deploy/**/*.md\n'
  expect(excluded({ files, spec }, 'x.yaml', 'deploy/a.yaml', 'deploy/b/c.md', 'other/a.yaml')).toEqual([
    'x.yaml',
    'deploy/b/c.md',
    'other/a.yaml',
  ])
})

test('a file below an excluded directory can be taken back in, as in Flux', () => {
  expect(excluded({ files: [], spec: 'apps/\n!apps/keep.yaml\n' }, 'apps/a.yaml', 'apps/keep.yaml')).toEqual([
    'apps/a.yaml',
  ])
})

test('a pattern that ends in a slash does not match a file', () => {
  expect(excluded({ files: [], spec: 'build/\n' }, 'build', 'build/x', 'a/build/x')).toEqual([
    'build/x',
    'a/build/x',
  ])
})

test('a .sourceignore of any text never throws, and never lets .git in', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (content) => {
      const ignore = compileIgnore({
        files: [{ path: '.sourceignore', content: content.replaceAll('!', '') }],
      })
      expect(ignore.excludes('.git/config')).toBe(true)
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
  )
})
