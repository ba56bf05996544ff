import { RE2JS } from 're2js'
import { isEncrypted } from './cipher.ts'
import { SopsError } from './error.ts'
import type { Rule } from './metadata.ts'
import type { Leaf } from './value.ts'

/** Says whether the leaf at a path is encrypted. @throws SopsError BadFile when the rule's expression is none. */
export function encryptionRule(rule: Rule): (leaf: Leaf, path: readonly string[]) => boolean {
  switch (rule.kind) {
    case 'unencrypted_suffix':
      return (_leaf, path) => !path.some((key) => key.endsWith(rule.text))
    case 'encrypted_suffix':
      return (_leaf, path) => path.some((key) => key.endsWith(rule.text))
    case 'unencrypted_regex': {
      const matches = matcher(rule)
      return (_leaf, path) => !path.some(matches)
    }
    case 'encrypted_regex': {
      const matches = matcher(rule)
      return (_leaf, path) => path.some(matches)
    }
    // By comments, which an object no longer has. The form of the value says the same.
    case 'unencrypted_comment_regex':
    case 'encrypted_comment_regex':
      return (leaf) => typeof leaf === 'string' && isEncrypted(leaf)
  }
}

function matcher({ kind, text }: Rule): (key: string) => boolean {
  try {
    const expression = RE2JS.compile(text)
    return (key) => expression.matcher(key).find()
  } catch {
    throw new SopsError('BadFile', `has no regular expression in ${kind} of its SOPS metadata`)
  }
}
