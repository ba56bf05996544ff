import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import ownPackage from '../package.json' with { type: 'json' }
import { CONTRACTS_VERSION, customResourceDefinitions } from './crd.ts'
import { crdFiles } from './crd-files.ts'

const root = resolve(import.meta.dirname, '../../..')

describe('generated files of the chart', () => {
  it.each(Object.entries(crdFiles()))('%s is what the contracts say (pnpm run generate)', (path, text) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(text)
  })

  it('leaves no file behind of a kind that is gone', () => {
    const folders = ['charts/setpoint/crds', 'charts/setpoint/templates/crds']
    const found = folders.flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
    )
    expect(found.sort()).toEqual(Object.keys(crdFiles()).sort())
  })

  it('reads back as the definition it was made of', () => {
    const files = crdFiles()
    const read = Object.keys(files).filter((path) => path.includes('/setpoint/crds/'))
    expect(read.map((path) => parse(files[path] ?? ''))).toEqual(customResourceDefinitions())
  })

  it('holds nothing that Helm would take for a template', () => {
    expect(JSON.stringify(customResourceDefinitions())).not.toContain('{{')
  })
})

it('the version on the definitions is that of the package', () => {
  expect(CONTRACTS_VERSION).toBe(`v${ownPackage.version}`)
})
