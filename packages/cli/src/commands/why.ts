import { KUSTOMIZATION, type Kustomization } from '@setpoint/contracts'
import type { KubeClient } from '@setpoint/kube'
import { type Command, type CommandContext, outputFlag } from '../command.ts'
import { CommandError, messageOf } from '../errors.ts'
import { printStructured } from '../output/structured.ts'
import { readKindAndName, readObject } from '../trace/read-object.ts'
import { sourceOf, traceObject } from '../trace/trace-object.ts'
import { defaultDataDirectory, readState } from '../up/state-file.ts'
import { explain } from '../why/explain.ts'
import { type Facts, readSaid, type Said } from '../why/facts.ts'
import { printExplanation } from '../why/print-explanation.ts'

export const command: Command = {
  name: 'why',
  summary: 'Show how far a commit has come on its way into the cluster, and what holds it',
  usage: 'KIND/NAME',
  description: [
    'Follows an object to its Kustomization and shows the steps source, render, apply and health with their times.',
    'Where NATS can be reached (that of `setpoint up`, or --nats), the services are asked as well.',
  ].join('\n'),
  examples: [
    { does: 'Why is my commit not live?', line: 'setpoint why kustomization/apps' },
    { does: 'A certain commit', line: 'setpoint why deployment/web -n prod --commit 1a2b3c4d' },
    { does: 'For a script', line: 'setpoint why ks/apps -o json' },
  ],
  flags: {
    commit: {
      type: 'string',
      placeholder: 'SHA',
      description: 'The commit to look for; by default the newest',
    },
    nats: {
      type: 'string',
      placeholder: 'URL',
      description: 'NATS to ask; by default that of `setpoint up`',
    },
    output: outputFlag('json', 'yaml'),
  },
  exitCodes: { 0: 'the commit is live', 1: 'it is not', 2: 'wrong usage' },
  run,
}

async function run(context: CommandContext): Promise<number> {
  const kube = await context.kube()
  const facts = await gatherFacts(context, kube)
  const explanation = explain(facts)
  const output = context.flags.text('output')
  context.io.stdout.write(
    output === undefined
      ? printExplanation(explanation, context.io.colour)
      : printStructured(explanation, output),
  )
  return explanation.live ? 0 : 1
}

async function gatherFacts(context: CommandContext, kube: KubeClient): Promise<Facts> {
  const { kustomization, inInventory } = await findKustomization(context, kube)
  const source = await sourceOf(kube, kustomization)
  const said = await ask(context, kube, kustomization)
  const commit = context.flags.text('commit')?.toLowerCase()
  return {
    kustomization,
    ...(source === undefined ? {} : { source }),
    ...(inInventory === undefined ? {} : { inInventory }),
    ...(commit === undefined ? {} : { commit }),
    ...(said === undefined ? {} : { said }),
  }
}

async function findKustomization(
  context: CommandContext,
  kube: KubeClient,
): Promise<Pick<Facts, 'kustomization' | 'inInventory'>> {
  const { word, name } = readKindAndName(context.args)
  const object = await readObject(kube, word, { namespace: context.flags.textOf('namespace'), name })
  if (object.kind === KUSTOMIZATION.kind && object.apiVersion.startsWith(KUSTOMIZATION.group))
    return { kustomization: object as Kustomization }
  const { owner, kustomization, inInventory } = await traceObject(kube, object)
  if (owner === undefined) throw new CommandError('no Kustomization applies this object')
  if (kustomization === undefined)
    throw new CommandError(`its Kustomization ${owner.namespace}/${owner.name} does not exist any more`)
  return { kustomization, ...(inInventory === undefined ? {} : { inInventory }) }
}

async function ask(
  { flags, io }: CommandContext,
  kube: KubeClient,
  kustomization: Kustomization,
): Promise<Said | undefined> {
  const url = flags.text('nats') ?? (await readState(defaultDataDirectory(kube.server)))?.nats.url
  if (url === undefined) return undefined
  try {
    return await readSaid(url, kustomization)
  } catch (error) {
    io.stderr.write(`setpoint why: the services were not asked: ${messageOf(error)}\n`)
    return undefined
  }
}
