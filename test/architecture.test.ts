import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

/** What each layer may import. Nothing imports upwards, and services meet only on the bus and the API server. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  pure: ['pure'],
  edge: ['edge', 'pure'],
  runtime: ['runtime', 'edge', 'pure'],
  service: ['runtime', 'edge', 'pure'],
  test: ['test', 'runtime', 'edge', 'pure'],
  app: ['test', 'runtime', 'edge', 'pure'],
}

/** A pure package computes: the same input, the same output. Hashing and compression are computation too. */
const PURE_NODE_MODULES = new Set(['node:crypto', 'node:zlib', 'node:buffer'])
const IMPURE =
  /\bprocess\.|\bconsole\.|\bDate\.now\(|\bnew Date\(\)|\bfetch\(|\bsetTimeout\(|\bsetInterval\(|Math\.random\(/

interface Package {
  name: string
  directory: string
  layer: string
  dependencies: string[]
  sources: string[]
}

const root = resolve(import.meta.dirname, '..')
const packages = globSync('{packages,services}/*/package.json', { cwd: root }).map(readPackage)
const byName = new Map(packages.map((found) => [found.name, found]))

describe.each(packages.map((found) => [relative(root, found.directory), found] as const))(
  '%s',
  (_path, found) => {
    test('names a layer', () => {
      expect(Object.keys(MAY_IMPORT)).toContain(found.layer)
    })

    test('imports only from its own layer’s neighbours and below, and declares what it imports', () => {
      const wrong = importsOf(found)
        .filter(({ specifier }) => specifier.startsWith('@setpoint/'))
        .flatMap((used) => {
          const target = byName.get(used.specifier)
          if (target === undefined) return [`${used.file}: ${used.specifier} is not exported by any package`]
          if (!found.dependencies.includes(target.name))
            return [`${used.file}: ${target.name} is not in package.json`]
          return MAY_IMPORT[found.layer]?.includes(target.layer)
            ? []
            : [`${used.file}: ${found.layer} imports ${target.layer} ${target.name}`]
        })
      expect(wrong).toEqual([])
    })

    test('reaches other packages by name, never by a path', () => {
      const wrong = importsOf(found)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .filter(({ file, specifier }) => !resolve(dirname(file), specifier).startsWith(`${found.directory}/`))
      expect(wrong).toEqual([])
    })

    test('has a README', () => {
      expect(globSync('README.md', { cwd: found.directory })).toEqual(['README.md'])
    })
  },
)

describe.each(packages.filter(({ layer }) => layer === 'pure').map((found) => [found.name, found] as const))(
  'the pure package %s',
  (_name, found) => {
    const sources = found.sources.filter((file) => !isTooling(file))

    test('imports no part of Node that does input or output', () => {
      const wrong = importsOf({ ...found, sources })
        .filter(({ specifier }) => specifier.startsWith('node:'))
        .filter(({ specifier }) => !PURE_NODE_MODULES.has(specifier))
      expect(wrong).toEqual([])
    })

    test('has no clock, no environment, no log, no chance', () => {
      const wrong = sources.flatMap((file) =>
        withoutComments(readFileSync(file, 'utf8'))
          .split('\n')
          .filter((line) => IMPURE.test(line))
          .map((line) => `${relative(root, file)}: ${line.trim()}`),
      )
      expect(wrong).toEqual([])
    })
  },
)

test('the environment is read only where settings are read', () => {
  const wrong = packages
    .filter(({ layer }) => layer !== 'test' && layer !== 'app')
    .flatMap(({ sources }) => sources)
    .filter((file) => !/config|settings|run-service/.test(file) && !isTooling(file))
    .filter((file) => withoutComments(readFileSync(file, 'utf8')).includes('process.env'))
  expect(wrong.map((file) => relative(root, file))).toEqual([])
})

function readPackage(path: string): Package {
  const directory = dirname(join(root, path))
  const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as {
    name: string
    setpoint?: { layer?: string }
    dependencies?: Record<string, string>
  }
  const sources = globSync('src/**/*.ts', { cwd: directory }).map((file) => join(directory, file))
  return {
    name: manifest.name,
    directory,
    layer: manifest.setpoint?.layer ?? '',
    dependencies: Object.keys(manifest.dependencies ?? {}),
    sources: sources.filter((file) => !file.endsWith('.test.ts')),
  }
}

function importsOf(found: Package): { file: string; specifier: string }[] {
  return found.sources.flatMap((file) => {
    const code = withoutComments(readFileSync(file, 'utf8'))
    const matches = code.matchAll(
      /(?:^|\n)\s*(?:import|export)\b\s*(?:[^'"]*?\bfrom\s*)?['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/g,
    )
    return [...matches].map((match) => ({ file, specifier: match[1] ?? match[2] ?? '' }))
  })
}

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/[^\n]*/g, '$1')
}

/** Scripts that make committed files are run by hand, not by a service. */
function isTooling(file: string): boolean {
  return /\/generate[^/]*\.ts$|\/scripts?\//.test(file)
}
