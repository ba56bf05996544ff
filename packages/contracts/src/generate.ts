import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { crdFiles } from './crd-files.ts'

/** `pnpm run generate`: writes the files that are made from the contracts. A test fails when they differ. */
const root = resolve(import.meta.dirname, '../../..')
for (const [path, text] of Object.entries(crdFiles())) {
  mkdirSync(dirname(resolve(root, path)), { recursive: true })
  writeFileSync(resolve(root, path), text)
  console.log(`wrote ${path}`)
}
