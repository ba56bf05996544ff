import { git } from '@setpoint/testkit'
import { namespace } from './cluster.ts'
import type { Environment } from './environment.ts'
import type { Narrator } from './narrator.ts'
import { allReadyAt, environments, eventually, hasImage, runsEverywhere, stopwatch } from './observe.ts'

const newTag = '6.9.0'
const policyKind = { group: 'image.toolkit.fluxcd.io', kind: 'ImagePolicy' }

/** A new tag in a registry becomes a commit and is live. Returns the tag. */
export async function followNewImage(
  environment: Environment,
  narrator: Narrator,
  oldTag: string,
): Promise<string> {
  narrator.heading('6. A new image is pushed')
  await startFollowing(environment, narrator, oldTag)
  const { registry, repo, cluster } = environment
  const before = await repo.head()
  narrator.say(`docker push ${registry.host}/podinfo:${newTag}`)
  await registry.push('podinfo', newTag)
  const since = stopwatch()
  cluster.hintImage()
  await eventually('Git has a new commit', async () => (await repo.head()) !== before)
  const what = await git(['log', '-1', '--format=%an: %s', 'main'], { cwd: repo.dir })
  narrator.verified(`Git has a commit: "${what}"`, since())
  await expectOneLine(repo.dir)
  await hasImage(cluster.kube, 'staging', newTag)
  narrator.verified('staging has the new image', since())
  await runsEverywhere(environments, cluster.kube, newTag)
  await allReadyAt(cluster.kube, await repo.head())
  if ((await git(['rev-list', '--count', `${before}..main`], { cwd: repo.dir })) !== '1')
    throw new Error('more than one commit was made')
  narrator.verified('rolled out everywhere, with one commit', since())
  await git(['pull', '--quiet', '--ff-only', 'origin', 'main'], { cwd: environment.copy.path })
  return newTag
}

/** Also what follows images comes from Git. */
async function startFollowing(
  { registry, copy, cluster: { kube } }: Environment,
  narrator: Narrator,
  oldTag: string,
): Promise<void> {
  await registry.push('podinfo', oldTag)
  await copy.add('clusters/demo/images.yaml', imageObjects(`${registry.host}/podinfo`))
  narrator.say(`a registry at ${registry.host} has podinfo:${oldTag}`)
  narrator.say('git add clusters/demo/images.yaml && git commit && git push')
  const since = stopwatch()
  const sha = await copy.push('Follow the images of podinfo')
  await eventually(`the ImagePolicy has chosen ${oldTag}`, async () => {
    const policy = await kube.get(policyKind, { namespace, name: 'podinfo' })
    return (policy?.status as { latestRef?: { tag: string } } | undefined)?.latestRef?.tag === oldTag
  })
  await allReadyAt(kube, sha)
  narrator.verified(`the ImagePolicy has chosen ${oldTag}, which Git has already`, since())
}

/** The person sees in the commit that nothing but the marked value has changed. */
async function expectOneLine(dir: string): Promise<void> {
  const stat = await git(['diff', '--numstat', 'main~1', 'main'], { cwd: dir })
  if (stat !== '1\t1\tapps/web/base/kustomization.yaml') throw new Error(`the commit changes more: ${stat}`)
}

function imageObjects(image: string): string {
  return `apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata:
  name: podinfo
  namespace: ${namespace}
spec:
  image: ${image}
  interval: 5m
  insecure: true
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata:
  name: podinfo
  namespace: ${namespace}
spec:
  imageRepositoryRef:
    name: podinfo
  policy:
    semver:
      range: 6.x
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata:
  name: fleet
  namespace: ${namespace}
spec:
  sourceRef:
    kind: GitRepository
    name: fleet
  interval: 30m
  git:
    commit:
      author:
        name: setpoint
        email: setpoint@example.com
      messageTemplate: |
        {{ range .Changed.Changes }}Update podinfo from {{ .OldValue }} to {{ .NewValue }}{{ end }}
  update:
    path: ./apps
    strategy: Setters
`
}
