import { formatDuration } from '@setpoint/contracts'
import { type Paint, paint } from '../output/table.ts'
import type { Explanation, Step } from './explain.ts'

const MARKS: Record<Step['state'], readonly [mark: string, tint: Paint]> = {
  done: ['done', 'green'],
  waiting: ['WAITS', 'yellow'],
  failed: ['FAILED', 'red'],
  unknown: ['-', 'dim'],
}

/** One line for each step with its time, the advice below the one that holds. */
export function printExplanation({ revision, traceId, steps }: Explanation, colour: boolean): string {
  const trace = traceId === undefined ? '' : `  (trace ${traceId})`
  const first = steps.find(({ time }) => time !== undefined)?.time
  const lines = steps.flatMap((step) => linesOf(step, first, colour))
  return `${[`${revision === '' ? 'no revision yet' : revision}${trace}`, ...lines].join('\n')}\n`
}

function linesOf(
  { step, state, detail, time, advice }: Step,
  first: string | undefined,
  colour: boolean,
): string[] {
  const [mark, tint] = MARKS[state]
  const line = `  ${step.padEnd(7)} ${paint(mark.padEnd(6), tint, colour)}  ${when(time, first).padEnd(20)}  ${detail}`
  return advice === undefined ? [line] : [line, `${' '.repeat(18)}→ ${advice}`]
}

/** The first step has its time, the later ones what has passed since. */
function when(time: string | undefined, first: string | undefined): string {
  if (time === undefined || first === undefined) return ''
  if (time === first) return time.replace(/\.\d+Z$/, 'Z')
  const ms = Date.parse(time) - Date.parse(first)
  return ms < 0 ? time.replace(/\.\d+Z$/, 'Z') : `+${formatDuration(ms)}`
}
