import { imageChoiceMessage, imageCommitMessage, imageScanMessage, subjects } from '@setpoint/contracts'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

describe('a pushed image', () => {
  it('becomes one commit, and the status says what was done', async () => {
    const { registry } = setup
    await registry.push('team/web', '1.0.0')
    const repo = await setup.circle('web')
    const image = `${registry.host}/team/web`
    const automation = await setup.until(
      'ImageUpdateAutomation',
      'web',
      'has pushed',
      ({ status }) => status?.lastPushCommit !== undefined,
    )
    const head = await repo.head()
    expect(automation.status).toMatchObject({
      lastPushCommit: head,
      observedPolicies: { web: { name: image, tag: '1.0.0' } },
      observedSourceRevision: `main@sha1:${head}`,
    })
    expect(await setup.file(repo, 'app.yaml')).toContain(`image: ${image}:1.0.0 # {"$imagepolicy"`)
    const repository = await setup.untilReady('ImageRepository', 'web', 'True', 'Succeeded')
    expect(repository.status?.lastScanResult).toMatchObject({ tagCount: 1, latestTags: ['1.0.0'] })
    const policy = await setup.untilReady('ImagePolicy', 'web', 'True', 'Succeeded')
    expect(policy.status?.latestRef).toEqual({ name: image, tag: '1.0.0' })
    await waitFor('the event names files, images and the commit', async () =>
      (await setup.events('web')).some(
        ({ message }) =>
          message.includes(`pushed commit '${head}'`) &&
          message.includes(`app.yaml: ${image}:0.0.1 -> ${image}:1.0.0`),
      ),
    )
  })

  it('is told on the bus: what was scanned, chosen and committed; again when NATS has lost it, until it is gone', async () => {
    const key = { namespace: setup.namespace, name: 'web' }
    const image = `${setup.registry.host}/team/web`
    const { status } = await setup.get('ImageUpdateAutomation', 'web')
    const told = async () => {
      const [scan, choice, commit] = await Promise.all([
        setup.bus.last(imageScanMessage, subjects.image('scan', key)),
        setup.bus.last(imageChoiceMessage, subjects.image('choice', key)),
        setup.bus.last(imageCommitMessage, subjects.image('commit', key)),
      ])
      expect(scan?.data).toMatchObject({ image, tagCount: 1, latestTags: ['1.0.0'] })
      expect(choice?.data).toMatchObject({ image: { name: image, tag: '1.0.0' } })
      const changes = [{ path: 'app.yaml', oldValue: `${image}:0.0.1`, newValue: `${image}:1.0.0` }]
      expect(commit?.data).toMatchObject({ branch: 'main', commit: status?.lastPushCommit, changes })
      return true
    }
    await waitFor('it is told', told)
    await setup.nats.restart({ wipe: true })
    await waitFor('it is told again', told)
    await setup.remove('ImageRepository', 'web')
    await waitFor(
      'the scan is taken back',
      async () => (await setup.bus.last(imageScanMessage, subjects.image('scan', key))) === undefined,
    )
  })

  it('is seen at once with a hint, and nothing else is written', async () => {
    const repo = await setup.git.create('hinted')
    await setup.registry.push('team/hinted', '1.0.0')
    await setup.circle('hinted', { repo })
    await setup.until(
      'ImageUpdateAutomation',
      'hinted',
      'has pushed',
      ({ status }) => status?.lastPushCommit !== undefined,
    )
    const before = await setup.get('ImageUpdateAutomation', 'hinted')
    await setup.request('ImageUpdateAutomation', 'hinted')
    expect(await setup.commits(repo)).toBe(2)
    await setup.registry.push('team/hinted', '1.1.0')
    setup.hint('ImageRepository', 'hinted')
    await setup.until(
      'ImageUpdateAutomation',
      'hinted',
      'has pushed again',
      ({ status }) => status?.lastPushCommit !== before.status?.lastPushCommit,
    )
    expect(await setup.commits(repo)).toBe(3)
    const policy = await setup.get('ImagePolicy', 'hinted')
    expect(policy.status).toMatchObject({
      latestRef: { tag: '1.1.0' },
      observedPreviousRef: { tag: '1.0.0' },
    })
  })
})
