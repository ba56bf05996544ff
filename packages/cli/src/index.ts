export type { Command, CommandContext, Example, Flag, Flags } from './command.ts'
export { commands } from './registry.ts'
export { runCommandLine } from './run-command-line.ts'
export {
  defaultDataDirectory,
  readState,
  type UpService,
  type UpState,
} from './up/state-file.ts'
