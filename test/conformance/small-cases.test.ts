import { build, memoryFiles, printResources } from '@setpoint/kustomize'
import { describe, expect, it } from 'vitest'
import { smallCases } from './small-cases.ts'

describe('as in kustomize,', () => {
  it.each(smallCases)('$name', ({ files, want }) => {
    const { resources, problems } = build(memoryFiles(files), '')
    if (want === undefined) expect(problems[0]?.code).toMatch(/^(?!internal)/)
    else expect({ problems, text: printResources(resources) }).toEqual({ problems: [], text: want })
  })
})
