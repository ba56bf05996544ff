/** The object of a YAML document. Empty texts for what it does not say. */
export interface SetterObject {
  apiVersion: string
  kind: string
  namespace: string
  name: string
}

/** One value that was changed. */
export interface SetterChange {
  /** What the marker says, such as `default:podinfo:tag`. */
  setter: string
  oldValue: string
  newValue: string
  /** From 1. */
  line: number
  object: SetterObject
}

/** A marker that cannot be obeyed, or a file that cannot be read. Nothing of the file is changed when isFatal. */
export interface SetterProblem {
  /** From 1. */
  line: number
  /** For people, without the path of the file. */
  message: string
  /** True when the whole file is left alone. */
  isFatal: boolean
}

export interface SetterResult {
  /** The new content; absent when nothing changes. */
  changed?: Uint8Array
  changes: SetterChange[]
  problems: SetterProblem[]
  /** Markers of policies that nobody gave an image for, such as those of other namespaces. */
  unknown: { setter: string; line: number }[]
  /** `namespace:name` of every policy that the file names. */
  policies: string[]
}
