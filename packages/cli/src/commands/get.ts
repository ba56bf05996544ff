import {
  imageKinds,
  kustomization,
  type ManagedKind,
  readTarget,
  shownSourceKinds,
} from '../cluster/kinds.ts'
import { getManaged, listManaged, type ManagedObject } from '../cluster/managed-object.ts'
import { type Command, type CommandContext, outputFlag } from '../command.ts'
import { CommandError, UsageError } from '../errors.ts'
import { managedColumns } from '../output/managed-columns.ts'
import { listOf, printStructured, withoutManagedFields } from '../output/structured.ts'
import { printTable } from '../output/table.ts'

export const command: Command = {
  name: 'get',
  summary: 'Show sources, Kustomizations and images with their state',
  usage: 'sources|kustomizations|images|all [NAME]',
  examples: [
    { does: 'Everything, in all namespaces', line: 'setpoint get all -A' },
    {
      does: 'The Kustomizations of a namespace, with more columns',
      line: 'setpoint get kustomizations -n apps -o wide',
    },
    { does: 'Images, and what was chosen and committed', line: 'setpoint get images' },
    { does: 'One Git source as YAML', line: 'setpoint get sources git podinfo -o yaml' },
  ],
  flags: {
    'all-namespaces': { type: 'boolean', short: 'A', description: 'Objects of all namespaces' },
    output: outputFlag('wide', 'json', 'yaml'),
  },
  completes: ['sources', 'kustomizations', 'images', 'all'],
  run,
}

interface Request {
  kinds: ManagedKind[]
  name: string | undefined
}

async function run(context: CommandContext): Promise<number> {
  const request = readRequest(context.args)
  const groups = await read(context, request)
  const output = context.flags.text('output')
  if (output === 'json' || output === 'yaml') {
    const objects = groups.flat()
    const [only] = objects
    const value =
      request.name !== undefined && only !== undefined ? withoutManagedFields(only) : listOf(objects)
    context.io.stdout.write(printStructured(value, output))
    return 0
  }
  print(context, request, groups)
  return 0
}

/** `sources`, `sources git NAME`, `sources all`, `images`, `image policy NAME`, `kustomizations NAME`, `ks/NAME`, `all`. */
export function readRequest(args: readonly string[]): Request {
  const [what = '', second, ...more] = args
  if (what === '') throw new UsageError('say what: sources, kustomizations, images or all')
  if (/^sources?$/i.test(what) && (second === undefined || second.toLowerCase() === 'all'))
    return { kinds: [...shownSourceKinds], name: undefined }
  if (/^sources?$/i.test(what) && !shownSourceKinds.some((kind) => isSpelled(kind, second)))
    return { kinds: [...shownSourceKinds], name: onlyName([second ?? '', ...more]) }
  if (/^images?$/i.test(what) && (second === undefined || second.toLowerCase() === 'all'))
    return { kinds: [...imageKinds], name: undefined }
  if (what.toLowerCase() === 'all') {
    if (second !== undefined) throw new UsageError('"get all" takes no name')
    return { kinds: [...shownSourceKinds, kustomization, ...imageKinds], name: undefined }
  }
  const { kind, names } = readTarget(args)
  return { kinds: [kind], name: onlyName(names) }
}

function isSpelled({ spellings }: ManagedKind, word = ''): boolean {
  return spellings.includes(word.toLowerCase())
}

function onlyName(names: string[]): string | undefined {
  if (names.length > 1) throw new UsageError(`one name only, not also "${names.slice(1).join(' ')}"`)
  return names[0]
}

async function read(context: CommandContext, { kinds, name }: Request): Promise<ManagedObject[][]> {
  const kube = await context.kube()
  const namespace = context.flags.textOf('namespace')
  const everywhere = context.flags.has('all-namespaces')
  if (name !== undefined && everywhere) throw new UsageError('give a name or --all-namespaces, not both')
  const [only, ...others] = kinds
  if (name !== undefined && only !== undefined && others.length === 0)
    return [[await getManaged(kube, only, { namespace, name })]]
  const groups = await Promise.all(
    kinds.map((kind) => listManaged(kube, kind, everywhere ? undefined : namespace)),
  )
  if (name === undefined) return groups
  const found = groups.map((objects) => objects.filter(({ metadata }) => metadata.name === name))
  if (found.every((objects) => objects.length === 0))
    throw new CommandError(`no source "${name}" in namespace "${namespace}"; --namespace chooses another`)
  return found
}

function print({ flags, io, now }: CommandContext, { kinds }: Request, groups: ManagedObject[][]): void {
  const everywhere = flags.has('all-namespaces')
  const filled = groups.filter((objects) => objects.length > 0)
  if (filled.length === 0) {
    const where = everywhere ? 'in any namespace' : `in namespace "${flags.textOf('namespace')}"`
    io.stderr.write(`no ${kinds.map(({ ref }) => ref.kind).join(' or ')} found ${where}\n`)
    return
  }
  const tables = filled.map((objects) => {
    const kind = kinds.find(({ ref }) => ref.kind === objects[0]?.kind)
    const columns = managedColumns({
      prefix: kinds.length > 1 ? `${kind?.singular}/` : '',
      everywhere,
      wide: flags.text('output') === 'wide',
      nowMs: now(),
    })
    return printTable(columns, objects, io.colour)
  })
  io.stdout.write(tables.join('\n'))
}
