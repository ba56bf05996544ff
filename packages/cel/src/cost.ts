import type { ASTNode } from '@marcbachmann/cel-js'
import { CelError, quote } from './errors.ts'
import { callOf, childrenOf } from './walk.ts'

/** Some tenths of a second. An expression that looks at each of 1,000 conditions is far below it. */
const MAX_STEPS = 5_000_000
const MACROS = new Set(['all', 'exists', 'exists_one', 'filter', 'map'])

/** How the steps of an expression grow with what it is about. Pure arithmetic: nothing has to be run to know it. */
export interface Cost {
  /** How many nodes are inside of 0, 1, 2 … loops. */
  nodesByDepth: number[]
  /** Elements of the largest list that is written in the expression. */
  largestLiteral: number
  /** How often a value may be doubled by adding it to itself. */
  doublings: number
}

export function costOf(root: ASTNode): Cost {
  const cost: Cost = { nodesByDepth: [], largestLiteral: 1, doublings: 0 }
  const sums = { additions: 0, bindings: 0 }
  const visit = (node: ASTNode, depth: number): void => {
    cost.nodesByDepth[depth] = (cost.nodesByDepth[depth] ?? 0) + 1
    if (node.op === '+') sums.additions += 1
    if (node.op === 'list' || node.op === 'map')
      cost.largestLiteral = Math.max(cost.largestLiteral, node.args.length)
    const call = callOf(node)
    if (call?.name === 'bind' || call?.name === 'replace') sums.bindings += 1
    const loop = call !== undefined && MACROS.has(call.name) ? call : undefined
    for (const child of loop === undefined ? childrenOf(node) : []) visit(child, depth)
    if (loop?.receiver !== undefined) visit(loop.receiver, depth)
    for (const argument of loop?.args ?? []) visit(argument, depth + 1)
  }
  visit(root, 0)
  cost.doublings = Math.min(sums.bindings, sums.additions)
  return cost
}

/** @throws CelError when the expression might take too long. largest: elements of the largest list that it is about. */
export function requireAffordable(text: string, cost: Cost, largest: number): void {
  const growth = 2 ** cost.doublings
  const elements = Math.max(largest, cost.largestLiteral) * growth
  let steps = growth
  cost.nodesByDepth.forEach((nodes, depth) => {
    steps += nodes * elements ** depth
  })
  if (steps > MAX_STEPS)
    throw new CelError(
      `expression ${quote(text)}: might take ${steps.toExponential(0)} steps, more than ${MAX_STEPS}; nest fewer loops`,
    )
}
