import { flagsOf } from './arguments.ts'
import type { Command } from './command.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** A completion script for one shell: commands, their flags, the values of flags, and the kinds they take. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return { bash, zsh, fish }[shell](commands)
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map(
    (command) =>
      `    ${command.name}) words="${[...(command.completes ?? []), ...longFlags(command)].join(' ')}" ;;`,
  )
  return `# bash completion of setpoint
_setpoint() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) command=$word; break ;; esac
  done
  case $previous in
${valueCases(commands)}
  esac
  case $command in
    "") words="${names(commands)}" ;;
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _setpoint setpoint
`
}

/** Flags whose values are known, or are files. */
function valueCases(commands: readonly Command[]): string {
  const outputs = new Set(commands.flatMap((command) => flagsOf(command).output?.values ?? []))
  return [
    `    -o|--output) COMPREPLY=($(compgen -W "${[...outputs].join(' ')}" -- "$current")); return ;;`,
    `    --kubeconfig|--data|--path|--log-dir) COMPREPLY=($(compgen -f -- "$current")); return ;;`,
  ].join('\n')
}

function zsh(commands: readonly Command[]): string {
  const list = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`)
  const cases = commands.map((command) => {
    const flags = Object.entries(flagsOf(command)).map(([name, flag]) => {
      const value =
        flag.type === 'string' ? `:${name}:${flag.values ? `(${flag.values.join(' ')})` : '_files'}` : ''
      return quoted(`--${name}[${flag.description.replaceAll(/[[\]]/g, '')}]${value}`)
    })
    const first =
      command.completes === undefined ? '' : ` ${quoted(`1:what:(${command.completes.join(' ')})`)}`
    return `    ${command.name}) _arguments ${flags.join(' ')}${first} ;;`
  })
  return `#compdef setpoint
_setpoint() {
  local -a commands
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = "_setpoint" ]; then _setpoint "$@"; else compdef _setpoint setpoint; fi
`
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c setpoint -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
    ...(command.completes ?? []).map((word) => `complete -c setpoint -n ${within(command)} -a ${word}`),
    ...Object.entries(flagsOf(command)).map(([name, flag]) =>
      [
        `complete -c setpoint -n ${within(command)} -l ${name}`,
        flag.short === undefined ? '' : ` -s ${flag.short}`,
        flag.type === 'string' ? ' -r' : '',
        flag.values === undefined ? '' : ` -a ${quoted(flag.values.join(' '))}`,
        ` -d ${quoted(flag.description)}`,
      ].join(''),
    ),
  ])
  return `# fish completion of setpoint\ncomplete -c setpoint -f\n${lines.join('\n')}\n`
}

const within = (command: Command): string => quoted(`__fish_seen_subcommand_from ${command.name}`)
const names = (commands: readonly Command[]): string => commands.map(({ name }) => name).join(' ')
const longFlags = (command: Command): string[] => Object.keys(flagsOf(command)).map((name) => `--${name}`)
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
