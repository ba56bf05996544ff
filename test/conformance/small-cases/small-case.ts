/** One small build for each rule of kustomize that was once missed here; `want` is its answer, undefined where it refuses. */
export interface SmallCase {
  name: string
  files: Record<string, string>
  want: string | undefined
}
