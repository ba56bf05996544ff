import type { FileChange, GitRepo } from '@setpoint/testkit'
import { configMapYaml } from './manifests.ts'

type Data = Record<string, string>

/** Apps in one repository that change all the time, and what the cluster must hold because of it. */
export interface BusyFleet {
  repo: GitRepo
  apps: string[]
  /** ConfigMaps that are in Git from the first commit to the last. */
  permanent: Set<string>
  /** The number of the last commit, which is in the ConfigMap app-0. */
  readonly last: number
  /** Changes some apps, adds or deletes a file, and moves one from app to app. Returns the number of the commit. */
  commit(): Promise<number>
  /** Changes every app. Returns the number of the commit. */
  commitAll(): Promise<number>
  /** Every ConfigMap that Git says there is now, by name. */
  expected(): Record<string, Data>
}

/** ConfigMaps that move from app to app, and are always in one of them. */
const ROAMERS = Array.from({ length: 5 }, (_, index) => `app-roams-${index}`)

/** Fills a new repository. App N has a ConfigMap that changes, one that does not, and one that comes and goes; some roam. */
export async function makeBusyFleet(repo: GitRepo, count: number): Promise<BusyFleet> {
  const apps = Array.from({ length: count }, (_, index) => `app-${index}`)
  const wanted = new Map<string, Data>()
  for (const app of apps) {
    wanted.set(app, { value: '0' })
    wanted.set(`${app}-settings`, { level: 'production' })
  }
  const homes = new Map(ROAMERS.map((name) => [name, 'app-0']))
  for (const name of ROAMERS) wanted.set(name, { value: '0' })
  const permanent = new Set(wanted.keys())
  let last = 0
  const push = async (changes: Map<string, Data | undefined>, left: Record<string, null> = {}) => {
    const homeOf = (name: string) => homes.get(name) ?? appOf(name)
    await repo.commit({ ...filesOf(changes, homeOf), ...left }, { message: `Commit ${last}` })
    for (const [name, data] of changes)
      if (data === undefined) wanted.delete(name)
      else wanted.set(name, data)
  }
  await push(wanted)
  return {
    repo,
    apps,
    permanent,
    get last() {
      return last
    },
    commit: async () => {
      last += 1
      const changes = changesOf(last, count, wanted)
      const roamer = ROAMERS[last % ROAMERS.length] ?? ''
      const left = pathOf(homes.get(roamer) ?? '', roamer)
      homes.set(roamer, `app-${(last * 17) % count}`)
      const isSamePlace = pathOf(homes.get(roamer) ?? '', roamer) === left
      changes.set(roamer, { value: String(last) })
      await push(changes, isSamePlace ? {} : { [left]: null })
      return last
    },
    commitAll: async () => {
      last += 1
      await push(new Map(apps.map((app) => [app, { value: String(last) }])))
      return last
    },
    expected: () => Object.fromEntries([...wanted].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

function changesOf(number: number, count: number, wanted: Map<string, Data>): Map<string, Data | undefined> {
  const changed = new Set([0, (number * 7) % count, (number * 11) % count])
  const changes = new Map<string, Data | undefined>()
  for (const index of changed) changes.set(`app-${index}`, { value: String(number) })
  const comingOrGoing = `app-${(number * 13) % 10}-extra`
  changes.set(comingOrGoing, wanted.has(comingOrGoing) ? undefined : { since: String(number) })
  return changes
}

function filesOf(
  changes: Map<string, Data | undefined>,
  homeOf: (name: string) => string,
): Record<string, FileChange> {
  const files: Record<string, FileChange> = {}
  for (const [name, data] of changes)
    files[pathOf(homeOf(name), name)] = data === undefined ? null : configMapYaml(name, data)
  return files
}

const pathOf = (app: string, name: string): string => `apps/${app}/${name}.yaml`
const appOf = (name: string): string => /^app-\d+/.exec(name)?.[0] ?? ''
