import { spawn } from 'node:child_process'

const TIMEOUT_MS = 120_000

/** No file of the person who runs the tests may change what git does, and nobody is asked for a password. */
export const gitEnvironment = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_SSL_CAINFO: undefined,
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_AUTHOR_NAME: 'Ada Example',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada Example',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
}

/** Runs git and returns its trimmed standard output; throws with its standard error. */
export function git(
  args: string[],
  { cwd, input }: { cwd?: string; input?: Iterable<string | Buffer> } = {},
): Promise<string> {
  const child = spawn('git', args, {
    cwd,
    env: { ...process.env, ...gitEnvironment },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  // git may end before it has read everything; its exit code says why.
  child.stdin.on('error', () => undefined)
  for (const part of input ?? []) child.stdin.write(part)
  child.stdin.end()
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new Error('cannot start git', { cause })))
    child.once('close', (code) => {
      if (code === 0) return resolve(Buffer.concat(out).toString().trim())
      reject(new Error(`git ${args.join(' ')} failed (exit code ${code}): ${Buffer.concat(err)}`))
    })
  })
}
