import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import { RE2JS } from 're2js'
import { callOf, childrenOf } from './walk.ts'

const RE2_MATCHES = 'matchesRe2'

/** Regular expressions are RE2, as CEL says: no expression takes longer than its text is long. */
export function registerRegularExpressions(environment: Environment): void {
  const matches = (text: string, pattern: string): boolean => RE2JS.compile(pattern).matcher(text).find()
  environment.registerFunction(`string.${RE2_MATCHES}(string): bool`, matches)
  environment.registerFunction('matches(string, string): bool', matches)
}

/** The library's own `matches` is JavaScript's, which may take forever; calls of it are led to ours. */
export function useRe2(node: ASTNode): void {
  const call = callOf(node)
  if (node.op === 'rcall' && call?.name === 'matches') (node.args as unknown[])[0] = RE2_MATCHES
  childrenOf(node).forEach(useRe2)
}
