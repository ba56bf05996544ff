import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterEach, expect, it } from 'vitest'
import { renderCommand } from './render.ts'

const directories: string[] = []

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

function writeTree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'render-'))
  directories.push(root)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
}

async function run(args: string[], input = '') {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const code = await renderCommand(args, { stdin: Readable.from([input]), stdout, stderr })
  stdout.end()
  stderr.end()
  const text = async (stream: PassThrough) => Buffer.concat(await stream.toArray()).toString()
  return { code, stdout: await text(stdout), stderr: await text(stderr) }
}

const base = {
  'base/kustomization.yaml': 'resources: [a.yaml]\n',
  'base/a.yaml': 'kind: Service\napiVersion: v1\nmetadata:\n  name: a\n',
  'prod/kustomization.yaml': 'resources: [../base]\nnamePrefix: p-\n',
}

it('prints a directory as kustomize does', async () => {
  const { code, stdout } = await run([join(writeTree(base), 'prod')])
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'apiVersion: v1\nkind: Service\nmetadata:\n  name: p-a\n',
  })
})

it('follows symbolic links on the disk', async () => {
  const root = writeTree(base)
  symlinkSync('prod', join(root, 'current'))
  expect((await run([join(root, 'current')])).code).toBe(0)
})

it('names file and field on standard error when a build fails', async () => {
  const root = writeTree({ 'kustomization.yaml': 'resources: [none.yaml]\n' })
  const { code, stdout, stderr } = await run([root])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/kustomization.yaml: resources\[0\]: the file 'none.yaml' does not exist/)
})

it('names a directory that does not exist', async () => {
  expect((await run(['/nowhere/at/all'])).stderr).toMatch(/nowhere\/at\/all.*does not exist/)
})

it('prints what was read on demand', async () => {
  const root = writeTree(base)
  expect((await run([join(root, 'prod'), '--reads'])).stdout).toContain(`${root}/base/a.yaml\n`)
})

it.each([
  [['a', 'b'], /one directory/],
  [['--reorder', 'up', '.'], /legacy or none/],
  [['--load-restrictor', 'None', '.'], /LoadRestrictionsNone/],
  [['--nonsense'], /nonsense/],
])('refuses the command line %j with the usage', async (args, expected) => {
  const { code, stderr } = await run(args)
  expect(code).toBe(2)
  expect(stderr).toMatch(expected)
  expect(stderr).toContain('Usage:')
})

it('answers each line of a batch, and goes on after a bad one', async () => {
  const root = writeTree(base)
  const requests = [
    { id: 1, dir: join(root, 'prod'), flags: ['--reorder', 'none'] },
    { id: 2, dir: join(root, 'none') },
  ]
  const input = [...requests.map((request) => JSON.stringify(request)), 'no json', ''].join('\n')
  const { code, stdout } = await run(['--batch'], input)
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(code).toBe(0)
  expect(answers).toEqual([
    { id: 1, yaml: expect.stringContaining('name: p-a') },
    { id: 2, error: expect.stringContaining('does not exist') },
    { id: null, error: expect.any(String) },
  ])
})
