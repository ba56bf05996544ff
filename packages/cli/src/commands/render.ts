import type { Command, CommandContext } from '../command.ts'

export const command: Command = {
  name: 'render',
  summary: 'Build a kustomization directory and print its objects, as kustomize build does',
  usage: 'DIR | --batch',
  description: 'Nothing is decrypted: what SOPS encrypted is printed as it stands in Git.',
  examples: [
    { does: 'Print what an overlay stands for', line: 'setpoint render clusters/production' },
    {
      does: 'Files from outside of the directory are read too',
      line: 'setpoint render overlays/staging --load-restrictor LoadRestrictionsNone',
    },
    { does: 'Which files a build reads', line: 'setpoint render overlays/staging --reads' },
  ],
  flags: {
    reorder: {
      type: 'string',
      placeholder: 'legacy|none',
      description: 'Order of the output; the kustomization file decides by default',
    },
    'load-restrictor': {
      type: 'string',
      placeholder: 'RESTRICTOR',
      description: 'LoadRestrictionsRootOnly (the default) or LoadRestrictionsNone',
    },
    'enable-managedby-label': { type: 'boolean', description: 'Label all objects as managed by kustomize' },
    reads: { type: 'boolean', description: 'Print the files that the build read instead of its objects' },
    batch: { type: 'boolean', description: 'Read one JSON request a line and answer each with one line' },
  },
  takesRawArguments: true,
  run,
}

/** The engine is large, so it is loaded when it is needed. */
async function run({ args, io }: CommandContext): Promise<number> {
  const { renderCommand } = await import('../render.ts')
  return renderCommand(args, { stdin: io.stdin, stdout: process.stdout, stderr: process.stderr })
}
