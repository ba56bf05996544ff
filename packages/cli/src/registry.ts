import type { Command } from './command.ts'
import { command as approve } from './commands/approve.ts'
import { command as completion } from './commands/completion.ts'
import { command as diff } from './commands/diff.ts'
import { command as doctor } from './commands/doctor.ts'
import { command as get } from './commands/get.ts'
import { command as history } from './commands/history.ts'
import { command as image } from './commands/image.ts'
import { command as reconcile } from './commands/reconcile.ts'
import { command as render } from './commands/render.ts'
import { command as resume } from './commands/resume.ts'
import { command as rollback } from './commands/rollback.ts'
import { command as suspend } from './commands/suspend.ts'
import { command as trace } from './commands/trace.ts'
import { command as up } from './commands/up.ts'
import { command as version } from './commands/version.ts'
import { command as why } from './commands/why.ts'

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  up,
  get,
  image,
  reconcile,
  suspend,
  resume,
  diff,
  approve,
  render,
  history,
  rollback,
  trace,
  why,
  doctor,
  completion,
  version,
]

export function findCommand(name: string): Command | undefined {
  return commands.find((command) => command.name === name)
}
