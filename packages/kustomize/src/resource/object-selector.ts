import { gvkOf, type KubeObject } from '@setpoint/manifest'
import type { Selector } from '../kustomization/types.ts'
import { parseLabelSelector } from './label-selector.ts'
import { SelectorPatterns } from './selector.ts'

/**
 * Tells which objects a selector means, by the rules of patch targets: anchored patterns, and selectors over labels and
 * annotations. @throws BuildError when a pattern or selector cannot be read.
 */
export function objectMatcher(selector: Selector): (object: KubeObject) => boolean {
  const patterns = new SelectorPatterns(selector)
  const hasLabels = parseLabelSelector(selector.labelSelector ?? '')
  const hasAnnotations = parseLabelSelector(selector.annotationSelector ?? '')
  return (object) => {
    const { name, namespace = '', labels = {}, annotations = {} } = object.metadata
    return (
      patterns.matchesGvk(gvkOf(object)) &&
      patterns.name(name) &&
      patterns.namespace(namespace) &&
      hasLabels(new Map(Object.entries(labels))) &&
      hasAnnotations(new Map(Object.entries(annotations)))
    )
  }
}
