import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import ssh2, { type Connection, type ServerChannel } from 'ssh2'
import { gitEnvironment } from './git-command.ts'
import type { SshLayout } from './ssh-server.ts'

/** Real git behind the SSH server of the ssh2 library: for machines without an OpenSSH server. */
export async function startNodeSsh(layout: SshLayout, port: number): Promise<AsyncDisposable> {
  const hostKeys = await Promise.all(layout.hostKeys.map((path) => readFile(path)))
  const connections = new Set<Connection>()
  const server = new ssh2.Server({ hostKeys }, (connection) => {
    connections.add(connection)
    connection.on('error', () => undefined)
    connection.once('close', () => connections.delete(connection))
    letIn(connection, layout)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    [Symbol.asyncDispose]: async () => {
      for (const connection of connections) connection.end()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function letIn(connection: Connection, { authorizedKeys }: SshLayout): void {
  connection.on('authentication', async (context) => {
    if (context.method !== 'publickey' || context.username !== 'git') return context.reject(['publickey'])
    const lines = (await readFile(authorizedKeys, 'utf8')).split('\n').filter((line) => line !== '')
    const key = lines
      .map((line) => ssh2.utils.parseKey(line))
      .map((parsed) => (Array.isArray(parsed) ? parsed[0] : parsed))
      .find(
        (parsed) => parsed && !(parsed instanceof Error) && parsed.getPublicSSH().equals(context.key.data),
      )
    if (key === undefined || key instanceof Error) return context.reject(['publickey'])
    const { blob, signature, hashAlgo } = context
    if (blob && signature && key.verify(blob, signature, hashAlgo) !== true) return context.reject()
    return context.accept()
  })
  connection.on('session', (accept) => {
    accept().on('exec', (acceptExec, _reject, { command }) => runGit(acceptExec(), command))
  })
}

/** What git-shell does: two programs, one quoted path. */
function runGit(channel: ServerChannel, command: string): void {
  const [, program, path] = /^(git-upload-pack|git-receive-pack) '(.*)'$/.exec(command) ?? []
  if (program === undefined || path === undefined) {
    channel.stderr.write(`fatal: unrecognized command '${command}'\n`)
    channel.exit(128)
    return void channel.end()
  }
  const child = spawn(program, [path], { env: { ...process.env, ...gitEnvironment } })
  child.stdin.on('error', () => undefined)
  channel.pipe(child.stdin)
  child.stdout.pipe(channel, { end: false })
  child.stderr.pipe(channel.stderr, { end: false })
  child.once('close', (code) => {
    channel.exit(code ?? 1)
    channel.end()
  })
}
