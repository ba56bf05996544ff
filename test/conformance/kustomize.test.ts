import { isDeepStrictEqual } from 'node:util'
import { build, printResources } from '@setpoint/kustomize'
import { parseYaml } from '@setpoint/manifest'
import { describe, expect, test } from 'vitest'
import { type Case, caseFiles, caseOptions, loadCases } from './cases.ts'

/** Cases that we answer differently, each with the reason. There is none. */
const known: Record<string, string> = {}

const cases = loadCases()

describe.skipIf(cases === undefined)('cases with the answers of the real kustomize', () => {
  const builds = (cases ?? []).filter(({ wantYaml }) => wantYaml !== null)
  const failures = (cases ?? []).filter(({ wantYaml }) => wantYaml === null)

  test('every build that succeeds there gives the same objects in the same order', () => {
    expect(namesOf(builds.filter((testCase) => !isSame(testCase)))).toEqual(Object.keys(known))
  })

  test('every build that fails there fails here, with a message and a code', () => {
    expect(namesOf(failures.filter((testCase) => !isFailure(testCase)))).toEqual([])
  })

  test('every file that a build read is among the reads', () => {
    expect(namesOf(builds.filter((testCase) => missingReads(testCase).length > 0))).toEqual([])
  })
})

test.skipIf(cases !== undefined)(
  'the shared cases do not lie beside the repository, so they were not run',
  () => {
    expect(cases).toBeUndefined()
  },
)

function namesOf(list: Case[]): string[] {
  return list.map(({ id }) => id)
}

function isSame(testCase: Case): boolean {
  const { resources, problems } = build(caseFiles(testCase), testCase.root.slice(1), caseOptions(testCase))
  if (problems.length > 0) return false
  return isDeepStrictEqual(documentsOf(printResources(resources)), documentsOf(testCase.wantYaml ?? ''))
}

/** The version in the managed-by label is not compared. */
function documentsOf(text: string): unknown[] {
  const { documents } = parseYaml(
    text.replaceAll(/managed-by: kustomize-.*/g, 'managed-by: kustomize-VERSION'),
  )
  return documents.map(({ value }) => value)
}

function isFailure(testCase: Case): boolean {
  const { problems } = build(caseFiles(testCase), testCase.root.slice(1), caseOptions(testCase))
  const [problem] = problems
  return problem !== undefined && problem.code !== 'internal' && problem.message !== ''
}

function missingReads(testCase: Case): string[] {
  const { reads } = build(caseFiles(testCase), testCase.root.slice(1), caseOptions(testCase))
  const known = new Set(reads.map((path) => `/${path}`))
  return (testCase.reads ?? []).filter((path) => !known.has(path))
}
