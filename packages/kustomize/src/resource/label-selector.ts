import { BuildError } from '../build-error.ts'

type Requirement = (labels: Map<string, string>) => boolean

/** Parses a label selector: `a=b,c!=d,e in (f,g),h notin (i),j,!k`, and comparisons `>` and `<`. */
export function parseLabelSelector(selector: string): Requirement {
  const requirements = splitSelector(selector).map(parseRequirement)
  return (labels) => requirements.every((requirement) => requirement(labels))
}

/** Commas within brackets part values, not requirements. */
function splitSelector(selector: string): string[] {
  const parts = selector.split(/,(?![^(]*\))/).map((part) => part.trim())
  return parts.length === 1 && parts[0] === '' ? [] : parts
}

const name = '[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?'
const key = `(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?${name}`
const exists = new RegExp(`^(!?)\\s*(${key})$`)
const compares = new RegExp(`^(${key})\\s*(==|=|!=|>|<)\\s*(${name})?$`)
const isIn = new RegExp(`^(${key})\\s+(in|notin)\\s*\\(([^()]*)\\)$`)

function parseRequirement(text: string): Requirement {
  const existence = exists.exec(text)
  if (existence !== null) {
    const [, not, label = ''] = existence
    return (labels) => labels.has(label) !== (not === '!')
  }
  const comparison = compares.exec(text)
  if (comparison !== null) return compare(comparison, text)
  const membership = isIn.exec(text)
  if (membership !== null) return oneOf(membership, text)
  throw badSelector(text)
}

function compare([, label = '', operator, value = '']: RegExpExecArray, text: string): Requirement {
  if (operator === '!=') return (labels) => labels.get(label) !== value
  if (operator === '=' || operator === '==') return (labels) => labels.get(label) === value
  if (!/^-?\d+$/.test(value)) throw badSelector(text)
  const bound = Number(value)
  return (labels) => {
    const found = Number(labels.get(label) ?? Number.NaN)
    return operator === '>' ? found > bound : found < bound
  }
}

function oneOf([, label = '', operator, list = '']: RegExpExecArray, text: string): Requirement {
  const values = list.split(',').map((value) => value.trim())
  if (values.some((value) => value !== '' && !new RegExp(`^${name}$`).test(value))) throw badSelector(text)
  return (labels) => {
    const found = labels.get(label)
    const included = found !== undefined && values.includes(found)
    return operator === 'in' ? included : !included
  }
}

function badSelector(text: string): BuildError {
  return new BuildError('bad-selector', `cannot read the selector '${text}'`)
}
