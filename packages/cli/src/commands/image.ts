import type { ImagePolicy, ImageRepository } from '@setpoint/contracts'
import { compilePolicy, type Judgement, PolicyError } from '@setpoint/image-policy'
import { RegistryError } from '@setpoint/registry'
import { imagePolicy, imageRepository } from '../cluster/kinds.ts'
import { getManaged, readyOf } from '../cluster/managed-object.ts'
import { type Command, type CommandContext, outputFlag } from '../command.ts'
import { CommandError, UsageError } from '../errors.ts'
import { listTags } from '../image/list-tags.ts'
import { printStructured } from '../output/structured.ts'
import { type Column, printTable } from '../output/table.ts'

export const command: Command = {
  name: 'image',
  summary: 'Show why a policy takes the image that it takes',
  usage: 'why POLICY',
  description:
    'Asks the registry for its tags with the credentials of the ImageRepository, and says of every tag whether it was left out, and why, or how it ranks.',
  examples: [
    { does: 'Which tags were seen, left out and chosen', line: 'setpoint image why podinfo -n apps' },
    { does: 'For a script', line: 'setpoint image why podinfo -o json' },
  ],
  flags: { output: outputFlag('json', 'yaml') },
  completes: ['why'],
  run,
}

async function run(context: CommandContext): Promise<number> {
  const name = readName(context.args)
  const namespace = context.flags.textOf('namespace')
  const kube = await context.kube()
  const policy = (await getManaged(kube, imagePolicy, { namespace, name })) as unknown as ImagePolicy
  const reference = policy.spec.imageRepositoryRef
  const key = { namespace: reference.namespace || namespace, name: reference.name }
  const repository = (await getManaged(kube, imageRepository, key)) as unknown as ImageRepository
  const { signal, now } = context
  const judged = await explained(async () => {
    const compiled = compilePolicy(policy.spec)
    return compiled.judge(await listTags(kube, repository, { signal, now }))
  })
  const output = context.flags.text('output')
  if (output !== undefined) context.io.stdout.write(printStructured(judged, output))
  else print(context, policy, repository, judged)
  return judged.chosen === undefined ? 1 : 0
}

function readName([verb = '', name = '', ...more]: string[]): string {
  if (verb !== 'why') throw new UsageError('say what: "image why POLICY"')
  if (name === '' || more.length > 0) throw new UsageError('give the name of one ImagePolicy')
  return name
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof RegistryError || cause instanceof PolicyError) throw new CommandError(cause.message)
    throw cause
  }
}

const COLUMNS: Column<{ tag: string; verdict: string }>[] = [
  { heading: 'TAG', cell: ({ tag }) => tag },
  { heading: 'VERDICT', cell: ({ verdict }) => verdict },
]

function print(
  { io }: CommandContext,
  policy: ImagePolicy,
  { spec }: ImageRepository,
  { chosen, problem, ranked, rejected }: Judgement,
): void {
  const seen = ranked.length + rejected.length
  const latest = policy.status?.latestRef?.tag
  io.stdout.write(
    `${spec.image}: ${seen} tags seen, ${rejected.length} left out, ${ranked.length} compared\n`,
  )
  io.stdout.write(chosen === undefined ? `nothing is chosen: ${problem}\n` : `chosen: ${chosen}\n`)
  if (latest !== undefined && latest !== chosen)
    io.stdout.write(`the policy says ${latest}: it will follow with the next scan\n`)
  const ready = readyOf(policy as never)
  if (ready?.status === 'False')
    io.stdout.write(`not ready since ${ready.lastTransitionTime}: ${ready.reason}: ${ready.message}\n`)
  const rows = [
    ...ranked.map((tag, at) => ({ tag, verdict: at === 0 ? 'chosen' : `compared, place ${at + 1}` })),
    ...rejected.map(({ tag, reason }) => ({ tag, verdict: reason })),
  ]
  io.stdout.write(`\n${printTable(COLUMNS, rows, io.colour)}`)
}
