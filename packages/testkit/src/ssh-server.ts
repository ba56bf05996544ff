import { execFile } from 'node:child_process'
import { chmod, chown, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Child, startChild } from './child.ts'
import { freePort } from './free-port.ts'
import { git } from './git-command.ts'
import { createRepository, type GitRepo } from './git-repo.ts'
import { startNodeSsh } from './node-ssh.ts'
import { type OpenSsh, openSsh } from './openssh.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { waitFor } from './wait-for.ts'

const execute = promisify(execFile)

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa'

/** A Git server over SSH, for the user `git`: OpenSSH with git-shell where it can be had. */
export interface SshServer extends AsyncDisposable {
  /** `ssh://git@127.0.0.1:PORT`. */
  url: string
  port: number
  /** `openssh`, or `node` where no OpenSSH server can be had: the same protocol, spoken by the ssh2 library. */
  implementation: 'openssh' | 'node'
  /** Lines of known_hosts for all its host keys. */
  knownHosts(): Promise<string>
  /** A new key pair that may log in: the private key as ssh-keygen writes it. */
  createKey(type?: KeyType, options?: { passphrase?: string; pem?: boolean }): Promise<string>
  /** Creates an empty repository at `URL/NAME.git`. */
  create(name: string, options?: { branch?: string }): Promise<GitRepo>
  /** Restarts with other host keys, on the same port. */
  changeHostKeys(): Promise<void>
}

export interface SshServerOptions {
  /** Where the repositories are; a temporary directory when left out. */
  root?: string
  /** Kinds of host keys that it has; all when left out. */
  hostKeyTypes?: readonly KeyType[]
}

/** Starts an SSH server on 127.0.0.1. */
export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const home = await temporaryDirectory('ssh')
  const layout = await prepare(home.path, options)
  const openssh = await openSsh()
  const port = await freePort()
  const program = openssh && (await forAnyUser(openssh, home.path))
  const start = () =>
    program === undefined ? startNodeSsh(layout, port) : startOpenSsh(program, layout, port)
  let running = await start()
  let keys = 0
  const url = `ssh://git@127.0.0.1:${port}`
  return {
    url,
    port,
    implementation: openssh === undefined ? 'node' : 'openssh',
    knownHosts: async () => {
      const publicKeys = layout.hostKeys.map((path) => readFile(`${path}.pub`, 'utf8'))
      return (await Promise.all(publicKeys)).map((key) => `[127.0.0.1]:${port} ${key}`).join('')
    },
    createKey: async (type = 'ed25519', { passphrase = '', pem = false } = {}) => {
      const path = join(home.path, `key-${keys++}`)
      await execute('ssh-keygen', [
        '-q',
        '-t',
        type,
        '-N',
        passphrase,
        '-f',
        path,
        ...(pem ? ['-m', 'PEM'] : []),
      ])
      await writeFile(layout.authorizedKeys, await readFile(`${path}.pub`), { flag: 'a' })
      return readFile(path, 'utf8')
    },
    create: async (name, { branch = 'main' } = {}) => {
      const dir = join(layout.root, `${name}.git`)
      const repo = await createRepository(dir, `${url}${dir}`, branch)
      await openToAll(dir)
      return repo
    },
    changeHostKeys: async () => {
      await running[Symbol.asyncDispose]()
      await makeHostKeys(layout)
      running = await start()
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await home[Symbol.asyncDispose]()
    },
  }
}

/** Files of a server. */
export interface SshLayout {
  home: string
  root: string
  hostKeys: string[]
  hostKeyTypes: readonly KeyType[]
  authorizedKeys: string
}

async function prepare(home: string, { root, hostKeyTypes }: SshServerOptions): Promise<SshLayout> {
  const layout = {
    home,
    root: root ?? join(home, 'repositories'),
    hostKeys: [],
    hostKeyTypes: hostKeyTypes ?? (['ed25519', 'ecdsa', 'rsa'] as const),
    authorizedKeys: join(home, 'authorized_keys'),
  }
  await chmod(home, 0o755)
  await mkdir(layout.root, { recursive: true })
  await writeFile(layout.authorizedKeys, '')
  await writeFile(join(home, '.gitconfig'), '[safe]\n\tdirectory = *\n')
  await makeHostKeys(layout)
  return layout
}

async function makeHostKeys(layout: SshLayout): Promise<void> {
  layout.hostKeys = []
  for (const type of layout.hostKeyTypes) {
    const path = join(layout.home, `host-${type}-${crypto.randomUUID()}`)
    await execute('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', path])
    layout.hostKeys.push(path)
  }
}

/** The server may run as another user than the tests, who both write. */
async function openToAll(dir: string): Promise<void> {
  await git(['config', 'core.sharedRepository', '0666'], { cwd: dir })
  await execute('chmod', ['-R', 'a+rwX', dir])
}

/** Who the server runs as: never root, who would need an account `sshd` on the machine. */
const NOBODY = 65_534

/** The cache of root is in a directory that nobody else may enter. */
async function forAnyUser(openssh: OpenSsh, home: string): Promise<OpenSsh> {
  if (process.getuid?.() !== 0) return openssh
  const [sshd, libraries] = [join(home, 'sshd'), join(home, 'lib')]
  await cp(openssh.sshd, sshd)
  await cp(openssh.libraries, libraries, { recursive: true, verbatimSymlinks: true })
  return { ...openssh, sshd, libraries, nssWrapper: join(libraries, 'libnss_wrapper.so') }
}

async function startOpenSsh(openssh: OpenSsh, layout: SshLayout, port: number): Promise<AsyncDisposable> {
  const isRoot = process.getuid?.() === 0
  const [uid, gid] = isRoot ? [NOBODY, NOBODY] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  const config = await writeConfiguration(openssh, layout, { port, uid, gid })
  if (isRoot) for (const path of layout.hostKeys) await chown(path, uid, gid)
  const sshd = [openssh.sshd, '-D', '-e', '-f', config]
  const asUser = isRoot ? ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...sshd] : sshd
  const [command = '', ...args] = asUser
  const child = await startChild('sshd', command, args, {
    env: {
      LD_LIBRARY_PATH: openssh.libraries,
      LD_PRELOAD: openssh.nssWrapper,
      NSS_WRAPPER_PASSWD: join(layout.home, 'passwd'),
      NSS_WRAPPER_GROUP: join(layout.home, 'group'),
    },
  })
  await listening(child, port)
  return { [Symbol.asyncDispose]: async () => void (await child.stop()) }
}

async function writeConfiguration(
  { gitShell }: OpenSsh,
  { home, hostKeys, authorizedKeys }: SshLayout,
  { port, uid, gid }: { port: number; uid: number; gid: number },
): Promise<string> {
  await writeFile(join(home, 'passwd'), `git:x:${uid}:${gid}::${home}:${gitShell}\n`)
  await writeFile(join(home, 'group'), `git:x:${gid}:\n`)
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...hostKeys.map((path) => `HostKey ${path}`),
    `AuthorizedKeysFile ${authorizedKeys}`,
    ...['PidFile none', 'UsePAM no', 'StrictModes no', 'PasswordAuthentication no', 'MaxStartups 100'],
  ]
  const path = join(home, 'sshd_config')
  await writeFile(path, `${lines.join('\n')}\n`)
  return path
}

async function listening(child: Child, port: number): Promise<void> {
  await waitFor(`sshd listens: ${child.logs()}`, () => {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', reject)
    return promise.finally(() => socket.destroy())
  })
}
