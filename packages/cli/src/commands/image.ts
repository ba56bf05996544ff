import { AccessError } from '@setpoint/access'
import type { ImagePolicy, ImageRepository } from '@setpoint/contracts'
import { GitError } from '@setpoint/git'
import { compilePolicy, type Judgement, PolicyError } from '@setpoint/image-policy'
import { UpdateError } from '@setpoint/image-update'
import { RegistryError } from '@setpoint/registry'
import { holdUps } from '../cluster/hold-ups.ts'
import { imagePolicy, imageRepository, imageUpdateAutomation } from '../cluster/kinds.ts'
import { getManaged } from '../cluster/managed-object.ts'
import { type Command, type CommandContext, outputFlag } from '../command.ts'
import { CommandError, UsageError } from '../errors.ts'
import { listTags } from '../image/list-tags.ts'
import { printPreview } from '../image/print-preview.ts'
import { printStructured } from '../output/structured.ts'
import { type Column, printTable } from '../output/table.ts'

export const command: Command = {
  name: 'image',
  summary: 'Show why a policy takes the image that it takes, and what an automation would commit',
  usage: 'why POLICY | update AUTOMATION --dry-run',
  description: [
    'why asks the registry for its tags with the credentials of the ImageRepository, and says of every tag whether it was',
    'left out, and why, or how it ranks. update --dry-run plans on what Git holds now, with the credentials of the',
    'GitRepository, and prints the commit that would be made. Nothing is written or pushed.',
  ].join('\n'),
  examples: [
    { does: 'Which tags were seen, left out and chosen', line: 'setpoint image why podinfo -n apps' },
    { does: 'For a script', line: 'setpoint image why podinfo -o json' },
    { does: 'The diff that would be committed', line: 'setpoint image update fleet --dry-run' },
  ],
  flags: {
    output: outputFlag('json', 'yaml'),
    'dry-run': { type: 'boolean', description: 'Only show what update would commit' },
  },
  completes: ['why', 'update'],
  run,
}

async function run(context: CommandContext): Promise<number> {
  const [verb = '', name = '', ...more] = context.args
  const verbs: Record<string, typeof why> = { why, update }
  const chosen = verbs[verb]
  if (chosen === undefined)
    throw new UsageError('say what: "image why POLICY" or "image update AUTOMATION --dry-run"')
  if (name === '' || more.length > 0)
    throw new UsageError(`give the name of one ${verb === 'why' ? 'ImagePolicy' : 'ImageUpdateAutomation'}`)
  return explained(() => chosen(context, name))
}

async function update(context: CommandContext, name: string): Promise<number> {
  if (!context.flags.has('dry-run'))
    throw new UsageError(
      `only --dry-run is shown here; "setpoint reconcile image update ${name}" commits now`,
    )
  const { io, signal, now } = context
  const kube = await context.kube()
  const key = { namespace: context.flags.textOf('namespace'), name }
  const automation = await getManaged(kube, imageUpdateAutomation, key)
  for (const holdUp of holdUps(automation)) io.stderr.write(`${holdUp}\n`)
  const { previewUpdate } = await import('../image/preview-update.ts')
  const preview = await previewUpdate(kube, automation as never, { signal, now })
  const output = context.flags.text('output')
  if (output === undefined) printPreview(io, preview)
  else io.stdout.write(printStructured(preview, output))
  return 0
}

async function why(context: CommandContext, name: string): Promise<number> {
  const namespace = context.flags.textOf('namespace')
  const kube = await context.kube()
  const policy = (await getManaged(kube, imagePolicy, { namespace, name })) as unknown as ImagePolicy
  const reference = policy.spec.imageRepositoryRef
  const key = { namespace: reference.namespace || namespace, name: reference.name }
  const repository = (await getManaged(kube, imageRepository, key)) as unknown as ImageRepository
  const { signal, now } = context
  const judged = compilePolicy(policy.spec).judge(await listTags(kube, repository, { signal, now }))
  const output = context.flags.text('output')
  if (output !== undefined) context.io.stdout.write(printStructured(judged, output))
  else print(context, policy, repository, judged)
  return judged.chosen === undefined ? 1 : 0
}

/** Errors of these classes are for people as they are. */
const FORESEEN = [RegistryError, PolicyError, AccessError, UpdateError, GitError]

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof Error && FORESEEN.some((type) => cause instanceof type))
      throw new CommandError(cause.message, { cause })
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
  repository: ImageRepository,
  { chosen, problem, ranked, rejected }: Judgement,
): void {
  const seen = ranked.length + rejected.length
  const latest = policy.status?.latestRef?.tag
  io.stdout.write(
    `${repository.spec.image}: ${seen} tags seen, ${rejected.length} left out, ${ranked.length} compared\n`,
  )
  io.stdout.write(chosen === undefined ? `nothing is chosen: ${problem}\n` : `chosen: ${chosen}\n`)
  if (latest !== undefined && latest !== chosen)
    io.stdout.write(`the policy says ${latest}: it will follow with the next scan\n`)
  for (const object of [policy, repository])
    for (const holdUp of holdUps(object as never)) io.stdout.write(`${holdUp}\n`)
  const rows = [
    ...ranked.map((tag, at) => ({ tag, verdict: at === 0 ? 'chosen' : `compared, place ${at + 1}` })),
    ...rejected.map(({ tag, reason }) => ({ tag, verdict: reason })),
  ]
  io.stdout.write(`\n${printTable(COLUMNS, rows, io.colour)}`)
}
