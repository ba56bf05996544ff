import { generateKeyPairSync } from 'node:crypto'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type GitRepo, git, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AUTHOR, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const KIND = 'ImageUpdateAutomation'
const marker = (policy: string) => `# {"$imagepolicy": "${setup.namespace}:${policy}"}`
const pushed = (name: string) =>
  setup.until(KIND, name, 'has pushed', ({ status }) => status?.lastPushCommit !== undefined)

async function hook(repo: GitRepo, name: string, script: string): Promise<void> {
  const file = join(repo.dir, 'hooks', name)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}

async function readyMessage(name: string, reason: string): Promise<string> {
  const { status } = await setup.untilReady(KIND, name, 'False', reason)
  return status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? ''
}

describe('a commit', () => {
  it('has the message of the template, with its values, and is signed', async () => {
    await setup.registry.push('team/worded', '1.0.0')
    const key = makeSshKey()
    await setup.createSecret('signing', { identity: key })
    const messageTemplate = [
      'Images of {{ .AutomationObject.Name }} on {{ .Values.cluster }}',
      '',
      '{{ range .Changed.Changes }}{{ .NewValue }}{{ end }}',
    ].join('\n')
    const signingKey = { type: 'ssh', secretRef: { name: 'signing' } } as const
    const commit = { author: AUTHOR, messageTemplate, messageTemplateValues: { cluster: 'c1' }, signingKey }
    const repo = await setup.circle('worded', { git: { commit } })
    await pushed('worded')
    const raw = await git(['cat-file', 'commit', 'main'], { cwd: repo.dir })
    expect(raw).toContain('gpgsig -----BEGIN SSH SIGNATURE-----')
    expect(raw).toContain(`Images of worded on c1\n\n${setup.registry.host}/team/worded:1.0.0`)
    expect(setup.service.child.logs()).not.toContain('PRIVATE KEY')
  })

  it('goes to another branch, and leaves the one that was checked out', async () => {
    await setup.registry.push('team/branched', '1.0.0')
    const push = { branch: 'image-updates' }
    const repo = await setup.circle('branched', { git: { push } })
    await pushed('branched')
    expect(await setup.commits(repo)).toBe(1)
    expect(await setup.file(repo, 'app.yaml', 'image-updates')).toContain(':1.0.0 #')
  })

  it('is one for all automations of a repository whose images are ready together', async () => {
    await Promise.all(['one', 'two'].map((name) => setup.registry.push(`team/${name}`, '1.0.0')))
    const repo = await setup.git.create('shared')
    const image = (name: string) => `image: ${setup.registry.host}/team/${name}:0.1.0 ${marker(name)}\n`
    await repo.commit({ 'one.yaml': image('one'), 'two.yaml': image('two') })
    await setup.circle('one', {
      repo,
      files: {},
      automation: { suspend: true, update: { path: 'one.yaml', strategy: 'Setters' } },
    })
    await setup.circle('two', { repo, files: {}, automation: { suspend: true } })
    await setup.untilReady('ImagePolicy', 'one', 'True')
    await setup.untilReady('ImagePolicy', 'two', 'True')
    await setup.patch(KIND, 'two', { suspend: false })
    await pushed('two')
    expect(await setup.commits(repo)).toBe(2)
    expect(await setup.file(repo, 'one.yaml')).toContain('one:1.0.0')
  })

  it('is made on top of what somebody else pushed at the same time', async () => {
    await setup.registry.push('team/raced', '1.0.0')
    const repo = await setup.git.create('raced')
    await repo.commit({ 'app.yaml': `image: ${setup.registry.host}/team/raced:0.1.0 ${marker('raced')}\n` })
    await repo.commit(
      { 'app.yaml': `image: x:1 ${marker('raced')}\n`, 'other.yaml': 'theirs: 1\n' },
      { branch: 'theirs' },
    )
    const theirs = await repo.head('theirs')
    await hook(
      repo,
      'pre-receive',
      `[ -e raced ] && exit 0\ntouch raced\nunset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/main ${theirs}\nexit 1`,
    )
    await setup.circle('raced', { repo, files: {} })
    await pushed('raced')
    expect(await git(['rev-parse', 'main~1'], { cwd: repo.dir })).toBe(theirs)
    expect(await setup.file(repo, 'other.yaml')).toBe('theirs: 1')
    expect(await setup.file(repo, 'app.yaml')).toContain('raced:1.0.0')
  })
})

describe('nothing is committed', () => {
  it('when a hook refuses it, and its words are shown', async () => {
    await setup.registry.push('team/refused', '1.0.0')
    const repo = await setup.git.create('refused')
    await hook(repo, 'pre-receive', 'echo "main is protected" >&2\nexit 1')
    await setup.circle('refused', { repo })
    expect(await readyMessage('refused', 'GitOperationFailed')).toContain('main is protected')
    expect(await setup.commits(repo)).toBe(1)
    await rm(join(repo.dir, 'hooks/pre-receive'))
    await setup.request(KIND, 'refused')
    await pushed('refused')
  })

  it('when we may only read', async () => {
    await setup.registry.push('team/readonly', '1.0.0')
    const repo = await setup.git.create('readonly')
    await git(['config', 'http.receivepack', 'false'], { cwd: repo.dir })
    await setup.circle('readonly', { repo })
    expect(await readyMessage('readonly', 'GitOperationFailed')).toContain('does not let us push')
  })

  it.each([
    ['unread', '{{ if }}', 'UpdateFailed', 'line 1'],
    ['failing', '{{ .Nothing }}', 'UpdateFailed', 'no field .Nothing'],
    ['removed', '{{ range .Updated.Images }}{{ end }}', 'RemovedTemplateField', '.Changed'],
  ])('when the template is %s', async (name, messageTemplate, reason, says) => {
    await setup.registry.push(`team/${name}`, '1.0.0')
    const repo = await setup.circle(name, { git: { commit: { author: AUTHOR, messageTemplate } } })
    expect(await readyMessage(name, reason)).toContain(says)
    expect(await setup.commits(repo)).toBe(1)
  })

  it('to a file that is no YAML; the others are changed, and it is told', async () => {
    await setup.registry.push('team/broken', '1.0.0')
    const good = `image: a:1 ${marker('broken')}\n`
    const repo = await setup.circle('broken', { files: { 'good.yaml': good, 'bad.yaml': `${good}\tx: [\n` } })
    await pushed('broken')
    expect(await setup.file(repo, 'good.yaml')).toContain('broken:1.0.0')
    expect(await setup.file(repo, 'bad.yaml')).toContain('image: a:1')
    await waitFor('an event names the file', async () =>
      (await setup.events('broken')).some(({ message }) => message.includes('bad.yaml:')),
    )
  })

  it('any more, when somebody takes it back again and again, until another image is chosen', async () => {
    await setup.registry.push('team/contested', '1.0.0')
    const image = `${setup.registry.host}/team/contested`
    const takenBack = `image: ${image}:0.0.1 ${marker('contested')}\n`
    const repo = await setup.circle('contested', {
      files: { 'app.yaml': takenBack },
      automation: { interval: '1s' },
    })
    const has = (tag: string) =>
      waitFor(`Git has ${tag}`, async () => (await setup.file(repo, 'app.yaml')).includes(`:${tag} #`))
    await has('1.0.0')
    for (let time = 1; time < 3; time += 1) {
      await repo.commit({ 'app.yaml': takenBack })
      await has('1.0.0')
    }
    await repo.commit({ 'app.yaml': takenBack })
    expect(await readyMessage('contested', 'UpdateFailed')).toContain('somebody takes it back: it is ')
    expect(await setup.service.metric('setpoint_image_contested_updates_total')).toBeGreaterThan(0)
    await setup.registry.push('team/contested', '1.1.0')
    setup.hint('ImageRepository', 'contested')
    await has('1.1.0')
  })

  it('for a policy of another namespace, or one that nobody knows', async () => {
    await setup.registry.push('team/foreign', '1.0.0')
    const foreign = 'image: a:1 # {"$imagepolicy": "other:foreign"}\n'
    const repo = await setup.circle('foreign', {
      files: { 'a.yaml': foreign, 'b.yaml': `image: a:1 ${marker('nobody')}\n` },
    })
    await setup.untilReady('ImagePolicy', 'foreign', 'True')
    await setup.untilReady(KIND, 'foreign', 'True')
    expect(await setup.commits(repo)).toBe(1)
  })
})

it('a restart writes nothing: neither a status nor a commit', async () => {
  const repo = await setup.git.create('restarted')
  await setup.registry.push('team/restarted', '1.0.0')
  await setup.circle('restarted', { repo })
  await pushed('restarted')
  const kinds = ['ImageRepository', 'ImagePolicy', KIND] as const
  await setup.untilReady('ImagePolicy', 'restarted', 'True')
  const versions = () =>
    Promise.all(kinds.map(async (kind) => (await setup.get(kind, 'restarted')).metadata.resourceVersion))
  const before = await versions()
  await setup.service.child.stop()
  await setup.service.start()
  await waitFor('everything was looked at again', async () => {
    const text = await (await fetch(`${setup.service.url}/metrics`)).text()
    return kinds.every((kind) =>
      text.includes(`gotk_reconcile_duration_seconds_count{kind="${kind}",name="restarted"`),
    )
  })
  expect(await versions()).toEqual(before)
  expect(await setup.commits(repo)).toBe(2)
})

function makeSshKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
