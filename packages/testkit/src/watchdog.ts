import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/**
 * Kills the process groups it was told about once its standard input ends, which happens when this process
 * dies in whatever way, SIGKILL included. It runs in a session of its own, so Ctrl-C does not reach it.
 */
const SCRIPT = `
groups=""
while read -r verb group; do
  case $verb in
    add) groups="$groups $group" ;;
    remove)
      kept=""
      for g in $groups; do [ "$g" = "$group" ] || kept="$kept $g"; done
      groups=$kept ;;
  esac
done
for g in $groups; do kill -s TERM -- "-$g" 2>/dev/null; done
[ -n "$groups" ] && sleep 2
for g in $groups; do kill -s KILL -- "-$g" 2>/dev/null; done
exit 0
`

let pipe: Writable | undefined

/** From now on the process group dies with this process. */
export function watchGroup(pid: number): void {
  pipe ??= startWatchdog()
  pipe.write(`add ${pid}\n`)
}

/** The group is gone; its number may be given to another process. */
export function unwatchGroup(pid: number): void {
  pipe?.write(`remove ${pid}\n`)
}

function startWatchdog(): Writable {
  const watchdog = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  watchdog.unref()
  watchdog.on('error', () => undefined)
  watchdog.stdin.on('error', () => undefined)
  if ('unref' in watchdog.stdin && typeof watchdog.stdin.unref === 'function') watchdog.stdin.unref()
  return watchdog.stdin
}
