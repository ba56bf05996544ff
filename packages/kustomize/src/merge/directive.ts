import { BuildError } from '../build-error.ts'
import { isList, isMap, textOf, type Value } from '../value.ts'

export type Directive = 'merge' | 'replace' | 'delete'

const key = '$patch'

/** Reads the `$patch` of a patch and takes it out. */
export function takeDirective(patch: Value | undefined): Directive {
  if (isMap(patch)) {
    if (patch[key] === undefined) return 'merge'
    const directive = parseDirective(textOf(patch[key]))
    delete patch[key]
    return directive
  }
  if (isList(patch)) return takeListDirective(patch)
  return 'merge'
}

/** In a list, an item that holds nothing but `$patch` speaks for the list. */
function takeListDirective(patch: Value[]): Directive {
  const item = patch.find((candidate) => isMap(candidate) && candidate[key] !== undefined)
  if (!isMap(item) || Object.keys(item).length > 1) return 'merge'
  const text = textOf(item[key])
  const directive = parseDirective(text)
  const rest = patch.filter(
    (candidate) => !isMap(candidate) || candidate[key] === undefined || textOf(candidate[key]) !== text,
  )
  patch.splice(0, patch.length, ...rest)
  return directive
}

function parseDirective(text: string): Directive {
  if (text === 'delete' || text === 'replace' || text === 'merge') return text
  throw new BuildError(
    'bad-patch',
    `unknown patch strategy '${text}' in $patch; use delete, replace or merge`,
  )
}
