import type { GeneratedOverlay } from './generator/overlay.ts'
import { Random } from './generator/random.ts'

/** What people and merges put into files by mistake, and what YAML reads in a way of its own. */
const tokens = [
  '\t', '  ', '\n', '\r\n', '\u0000', '\uFEFF', '\u2028', ': ', '- ', '---\n', '...\n', '#', '"', "'", '{', '}', '[', ']',
  '&a ', '*a', '<<: *a', '!!int ', '!x ', '|\n', '>-\n', '%YAML 9\n', '~', 'null', 'true', '.inf', '0x', '1e999', '2020-01-01',
  '$patch: delete', '$patch: replace', '$(VAR)', '__proto__: {}', 'constructor', '../', '/', '99999999999999999999', 'é', '\\', '? ',
] as const // biome-ignore format: a list of tokens

/** The overlay with a few of its files damaged, as the seed decides. */
export function mutateOverlay({ files, root }: GeneratedOverlay, seed: number): GeneratedOverlay {
  const random = new Random(seed)
  const mutated = { ...files }
  const paths = Object.keys(files)
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const path = paths[random.below(paths.length)] ?? ''
    mutated[path] = mutateText(mutated[path] ?? '', random)
  }
  return { files: mutated, root }
}

function mutateText(text: string, random: Random): string {
  const at = random.below(text.length + 1)
  const lines = text.split('\n')
  const line = random.below(lines.length)
  switch (random.below(7)) {
    case 0:
      return text.slice(0, at) + random.pick(tokens) + text.slice(at)
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + random.below(4))
    case 2:
      return text.slice(0, at)
    case 3:
      return [...lines.slice(0, line), ...lines.slice(line + 1)].join('\n')
    case 4:
      return [...lines.slice(0, line + 1), ...lines.slice(line)].join('\n')
    case 5:
      return lines.map((content, index) => (index === line ? reindent(content, random) : content)).join('\n')
    default:
      return lines.map((content, index) => (index === line ? newValue(content, random) : content)).join('\n')
  }
}

function reindent(line: string, random: Random): string {
  return random.chance(0.5) ? line.replace(/^ {1,2}/, '') : ` ${line}`
}

/** Another value behind the key of a line. */
function newValue(line: string, random: Random): string {
  const values = [
    '5',
    '"5"',
    '[]',
    '{}',
    '[a, {b: c}]',
    '{a: b}',
    '~',
    '',
    'true',
    '|',
    '"',
    '*x',
    'web',
    '-1',
    '1.5',
  ] as const
  return line.replace(/:.*$/, `: ${random.pick(values)}`)
}
