import { kustomizationCases } from './small-cases/kustomization.ts'
import { transformerCases } from './small-cases/transformers.ts'
import { yamlCases } from './small-cases/yaml.ts'

export const smallCases = [...yamlCases, ...kustomizationCases, ...transformerCases]
