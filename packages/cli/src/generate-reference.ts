import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reference } from './reference.ts'
import { commands } from './registry.ts'

writeFileSync(join(import.meta.dirname, '../../../docs/cli.md'), reference(commands))
