import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { binary } from '@setpoint/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { find, render } from './helm.ts'

/** Every flag that the chart and the compose file give to a service is one that the service takes. */

const ROOT = join(import.meta.dirname, '../..')
const secrets = { credentialsSecret: { name: 'a' }, passwordSecret: { name: 'b' }, caSecret: { name: 'c' } }
const externalNats = { enabled: false, external: { url: 'nats://nats:4222', user: 'setpoint', ...secrets } }
const compose = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true })

beforeAll(async () => void (await binary('helm')), 600_000)

describe.each(['source', 'kustomize-render', 'apply', 'image-automation'])('%s', (service) => {
  it('takes the flags of the chart', async () => {
    const flags = await flagsOf(service)
    for (const values of [{}, { nats: externalNats, otlpEndpoint: 'http://collector:4318' }]) {
      const [container] = find(await render(values), 'Deployment', `setpoint-${service}`).spec.template.spec
        .containers
      expect(flags).toEqual(expect.arrayContaining(container.args.map(nameOf)))
    }
  })

  it('takes the flags and variables of the compose file', async () => {
    const { command = [], environment } = compose.services[service]
    const variables = Object.keys(environment).map((name) => name.replace('SETPOINT_', '').toLowerCase())
    const given = [...command.map(nameOf), ...variables.map((name) => `--${name.replaceAll('_', '-')}`)]
    expect(await flagsOf(service)).toEqual(expect.arrayContaining(given))
  })

  it('refuses unusable settings with exit code 2, naming each of them and what it must be', async () => {
    const refused = await run(service, '--http-addr=nowhere', '--nats-url=tcp:4222', '--log-level=loud')
    expect(refused.code).toBe(2)
    for (const setting of ['--http-addr', '--nats-url', '--log-level'])
      expect(refused.said).toMatch(new RegExp(`${setting} .*must be`))
  })
})

const nameOf = (argument: string): string => argument.replace(/=.*/, '')

async function flagsOf(service: string): Promise<string[]> {
  const { said } = await run(service, '--help')
  return said.match(/^ {2}--[a-z-]+/gm)?.map((flag) => flag.trim()) ?? []
}

function run(service: string, ...flags: string[]): Promise<{ code: unknown; said: string }> {
  const main = join(ROOT, 'services', service, 'src/main.ts')
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...flags], { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, said: stdout + stderr })
    })
  })
}
