import type { Environment } from './environment.ts'
import type { Narrator } from './narrator.ts'

const LINES = 30

/** Says what failed, what Setpoint says of its objects, and where the logs are. */
export async function explainFailure(
  error: unknown,
  environment: Environment | undefined,
  narrator: Narrator,
): Promise<void> {
  narrator.failed(error instanceof Error ? error.message : String(error))
  if (environment === undefined) return
  try {
    const { cluster } = environment
    const kinds = 'gitrepositories.source.toolkit.fluxcd.io,kustomizations.kustomize.toolkit.fluxcd.io'
    const columns =
      '--output=custom-columns=KIND:.kind,NAME:.metadata.name,READY:.status.conditions[?(@.type=="Ready")].status,MESSAGE:.status.conditions[?(@.type=="Ready")].message'
    print(narrator, await cluster.plane.kubectl('get', kinds, '--all-namespaces', columns))
    print(narrator, cluster.setpoint.logs())
  } catch (cause) {
    narrator.say(`(the cluster cannot be asked: ${cause instanceof Error ? cause.message : cause})`)
  }
  narrator.say(`logs and data are kept in ${environment.home}`)
}

function print(narrator: Narrator, text: string): void {
  for (const line of text.trimEnd().split('\n').slice(-LINES)) narrator.say(line)
}
