import { type Command, type CommandContext, outputFlag } from '../command.ts'
import { printStructured, withoutManagedFields } from '../output/structured.ts'
import { printTrace } from '../trace/print-trace.ts'
import { readKindAndName, readObject } from '../trace/read-object.ts'
import { type Trace, traceObject } from '../trace/trace-object.ts'

export const command: Command = {
  name: 'trace',
  summary: 'Show where an object in the cluster comes from: Kustomization, source, revision',
  usage: 'KIND/NAME',
  description: 'A Pod is followed through its owners. "KIND NAME" is taken too.',
  examples: [
    { does: 'Which commit a Deployment stands at', line: 'setpoint trace deployment/web -n prod' },
    { does: 'A cluster-scoped object', line: 'setpoint trace namespace/prod' },
    {
      does: 'A kind of a certain group, for a script',
      line: 'setpoint trace certificates.cert-manager.io/web -n prod -o json',
    },
  ],
  flags: { output: outputFlag('json', 'yaml') },
  exitCodes: {
    0: 'a Kustomization applied it',
    1: 'no Kustomization did, or it does not exist',
    2: 'wrong usage',
  },
  run,
}

async function run(context: CommandContext): Promise<number> {
  const { word, name } = readKindAndName(context.args)
  const kube = await context.kube()
  const object = await readObject(kube, word, { namespace: context.flags.textOf('namespace'), name })
  const trace = await traceObject(kube, object)
  const output = context.flags.text('output')
  context.io.stdout.write(
    output === undefined
      ? printTrace(trace, { colour: context.io.colour, nowMs: context.now() })
      : printStructured(bare(trace), output),
  )
  return trace.owner === undefined ? 1 : 0
}

function bare(trace: Trace): object {
  const { kustomization, source } = trace
  return {
    ...trace,
    ...(kustomization === undefined ? {} : { kustomization: withoutManagedFields(kustomization) }),
    ...(source === undefined ? {} : { source: withoutManagedFields(source) }),
  }
}
