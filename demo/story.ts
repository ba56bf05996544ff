import { isDeepStrictEqual } from 'node:util'
import { bootstrap } from './bootstrap.ts'
import type { Environment } from './environment.ts'
import type { Narrator } from './narrator.ts'
import { followNewImage } from './new-image.ts'
import {
  allReadyAt,
  configMapKind,
  deployment,
  environments,
  eventually,
  fleetInCluster,
  hasImage,
  image,
  runsEverywhere,
  serviceKind,
  stopwatch,
} from './observe.ts'

const oldTag = '6.7.0'
const newTag = '6.8.0'

/** Tells the whole story; throws at the first thing that is not as it should be. */
export async function tellStory(environment: Environment, narrator: Narrator): Promise<void> {
  await firstSync(environment, narrator)
  const imageCommit = await commitImage(environment, narrator)
  await healEdits(environment, narrator)
  await pruneDeletedFile(environment, narrator)
  await revertCommit(environment, narrator, imageCommit)
  const tag = await followNewImage(environment, narrator, oldTag)
  await loseCluster(environment, narrator, tag)
}

async function firstSync(environment: Environment, narrator: Narrator): Promise<void> {
  const { repo, remote, first } = environment
  const { kube } = environment.cluster
  narrator.heading('1. First sync: the cluster is told which repository holds its set point')
  narrator.say(`git clone ${repo.url}`)
  if (remote.url !== repo.url) narrator.say(`Setpoint reaches it at ${remote.url}`)
  const since = stopwatch()
  await bootstrap(kube, remote)
  await runsEverywhere(environments, kube, oldTag)
  narrator.verified(`staging and production run podinfo:${oldTag}, every Pod is ready`, since())
  await expectReplicas(kube, { staging: 1, production: 3 })
  await allReadyAt(kube, first)
  narrator.verified('every Kustomization is Ready at the first commit', since())
}

async function commitImage(environment: Environment, narrator: Narrator): Promise<string> {
  const { copy, cluster } = environment
  narrator.heading('2. A commit goes live')
  await copy.edit('apps/web/base/kustomization.yaml', (text) => text.replace(oldTag, newTag))
  narrator.say(`git commit -m "Update podinfo to ${newTag}" && git push`)
  const since = stopwatch()
  const sha = await copy.push(`Update podinfo to ${newTag}`)
  const pushed = since()
  await hasImage(cluster.kube, 'staging', newTag)
  narrator.verified(`staging has the new image (${(since() - pushed).toFixed(0)} ms after the push)`, since())
  await runsEverywhere(environments, cluster.kube, newTag)
  await allReadyAt(cluster.kube, sha)
  narrator.verified('rolled out in staging, then in production, which depends on it', since())
  return sha
}

async function healEdits({ cluster: { plane, kube } }: Environment, narrator: Narrator): Promise<void> {
  narrator.heading('3. Somebody changes the cluster by hand')
  await healScale(narrator, kube, plane.kubectl)
  const before = await kube.get(serviceKind, { namespace: 'production', name: 'web' })
  narrator.say('kubectl -n production delete service web')
  const since = stopwatch()
  await plane.kubectl('-n', 'production', 'delete', 'service', 'web', '--wait=false')
  await eventually('the Service is back', async () => {
    const now = await kube.get(serviceKind, { namespace: 'production', name: 'web' })
    return now !== undefined && now.metadata.uid !== before?.metadata.uid
  })
  narrator.verified('the Service is back', since())
}

async function healScale(
  narrator: Narrator,
  kube: Environment['cluster']['kube'],
  kubectl: Environment['cluster']['plane']['kubectl'],
): Promise<void> {
  narrator.say('kubectl -n production set image deployment/web web=nginx:broken')
  const before = await kube.get(
    { group: 'apps', kind: 'Deployment' },
    { namespace: 'production', name: 'web' },
  )
  const since = stopwatch()
  await kubectl('-n', 'production', 'set', 'image', 'deployment/web', 'web=nginx:broken')
  await eventually('the image is healed', async () => {
    const now = await kube.get(
      { group: 'apps', kind: 'Deployment' },
      { namespace: 'production', name: 'web' },
    )
    // The edit and the healing each make a new generation: the edit is proved to have been there.
    const changes = (now?.metadata.generation ?? 0) - (before?.metadata.generation ?? 0)
    return changes >= 2 && (await deployment(kube, 'production'))?.image === `${image}:${newTag}`
  })
  narrator.verified(`the Deployment has podinfo:${newTag} again (kubectl's own time included)`, since())
  await runsEverywhere(['production'], kube, newTag)
}

async function pruneDeletedFile({ copy, cluster: { kube } }: Environment, narrator: Narrator): Promise<void> {
  narrator.heading('4. A file is deleted in Git')
  if ((await deployment(kube, 'tools', 'debug')) === undefined)
    throw new Error('Deployment tools/debug is not there')
  await copy.edit('tools/debug.yaml', () => null)
  narrator.say('git rm tools/debug.yaml && git commit && git push')
  const since = stopwatch()
  const sha = await copy.push('Remove the debug tools')
  await eventually(
    'Deployment tools/debug is pruned',
    async () => (await deployment(kube, 'tools', 'debug')) === undefined,
  )
  narrator.verified('Deployment tools/debug is pruned', since())
  await allReadyAt(kube, sha)
  const kept = await kube.get(configMapKind, { namespace: 'tools', name: 'motd' })
  if (kept === undefined) throw new Error('ConfigMap tools/motd was deleted too')
  narrator.verified('ConfigMap tools/motd beside it is still there')
}

async function revertCommit(
  { copy, cluster: { kube } }: Environment,
  narrator: Narrator,
  imageCommit: string,
): Promise<void> {
  narrator.heading('5. git revert rolls back')
  narrator.say(`git revert ${imageCommit.slice(0, 8)} && git push`)
  const since = stopwatch()
  const sha = await copy.revert(imageCommit)
  await hasImage(kube, 'staging', oldTag)
  narrator.verified(`staging has podinfo:${oldTag} again`, since())
  await runsEverywhere(environments, kube, oldTag)
  await allReadyAt(kube, sha)
  narrator.verified('rolled back everywhere', since())
}

async function loseCluster(environment: Environment, narrator: Narrator, tag: string): Promise<void> {
  narrator.heading(
    '7. The cluster is lost: API server, etcd, NATS and Setpoint are killed, their data is gone',
  )
  const before = await fleetInCluster(environment.cluster.kube)
  const head = await environment.repo.head()
  const total = stopwatch()
  await environment.replaceCluster()
  const { kube } = environment.cluster
  if (Object.keys(await fleetInCluster(kube)).length > 0) throw new Error('the new cluster is not empty')
  narrator.say('the new cluster is empty; it is told which repository holds its set point')
  const since = stopwatch()
  await bootstrap(kube, environment.remote)
  await runsEverywhere(environments, kube, tag)
  await allReadyAt(kube, head)
  narrator.verified('everything runs again', since())
  const after = await fleetInCluster(kube)
  if (!isDeepStrictEqual(after, before))
    throw new Error(`the rebuilt cluster differs:\n${differences(before, after)}`)
  narrator.verified(
    `all ${Object.keys(after).length} objects are as they were, from the repository alone`,
    total(),
  )
  if ((await environment.repo.head()) !== head) throw new Error('the new cluster has written a commit')
}

async function expectReplicas(
  kube: Environment['cluster']['kube'],
  expected: Record<string, number>,
): Promise<void> {
  for (const [environment, replicas] of Object.entries(expected)) {
    const actual = (await deployment(kube, environment))?.replicas
    if (actual !== replicas)
      throw new Error(`Deployment ${environment}/web has ${actual} replicas, not ${replicas}`)
  }
}

function differences(before: Record<string, unknown>, after: Record<string, unknown>): string {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names]
    .filter((name) => !isDeepStrictEqual(before[name], after[name]))
    .map(
      (name) => `${name}\n  before ${JSON.stringify(before[name])}\n  after  ${JSON.stringify(after[name])}`,
    )
    .join('\n')
}
