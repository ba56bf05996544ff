import type { Random } from './random.ts'

const scalars = [
  'text',
  '"quoted"',
  "'5'",
  '5',
  '1.10',
  'true',
  '"true"',
  'yes',
  '"on"',
  '0755',
  '1e3',
  '~',
  'null',
  '',
  '""',
  '2020-01-01',
  '"a: b"',
  '123456789012345',
  '|\n__line one\n__line two\n',
  '"${x} $(VAR)"',
  '$(VAR)-$$(X)',
] as const

/** One of the scalars that fit on one line. */
export function inline(random: Random): string {
  const scalar = random.pick(scalars)
  return scalar.startsWith('|') ? 'plain' : scalar
}

/** Any of them, its lines indented. */
export function block(random: Random, indent: number): string {
  return random.pick(scalars).replaceAll('__', ' '.repeat(indent)).trimEnd()
}
