import { type Branch, Timestamp, type Tree } from './value.ts'

/** As SOPS prints JSON: tabs, and the characters that Go escapes. Ends with a newline. */
export function printJsonTree(branch: Branch): string {
  return `${print(branch, '')}\n`
}

function print(tree: Tree, pad: string): string {
  if (tree instanceof Map)
    return block(
      '{',
      '}',
      [...tree].map(([key, value]) => `${quote(key)}: ${print(value, `${pad}\t`)}`),
      pad,
    )
  if (Array.isArray(tree))
    return block(
      '[',
      ']',
      tree.map((item) => print(item, `${pad}\t`)),
      pad,
    )
  if (typeof tree === 'string') return quote(tree)
  return tree instanceof Timestamp ? quote(tree.text) : String(tree)
}

function block(open: string, close: string, items: string[], pad: string): string {
  return items.length === 0
    ? open + close
    : `${open}\n${items.map((item) => `${pad}\t${item}`).join(',\n')}\n${pad}${close}`
}

function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
