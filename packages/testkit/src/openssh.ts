import { execFile } from 'node:child_process'
import { access, cp, mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheDirectory } from './binary.ts'
import { withFileLock } from './file-lock.ts'
import { removeDirectory, temporaryDirectory } from './temporary-directory.ts'

const execute = promisify(execFile)

/** Where the parts of an OpenSSH server are that runs without root and without an account. */
export interface OpenSsh {
  sshd: string
  /** Gives sshd the accounts of a file in place of the system's. */
  nssWrapper: string
  gitShell: string
  /** Where further libraries are. */
  libraries: string
}

/** OpenSSH itself, the library that it needs, and the one that makes accounts unnecessary. */
const PACKAGES = ['openssh-server', 'libwrap0', 'libnss-wrapper']

let found: Promise<OpenSsh | undefined> | undefined

/**
 * A real OpenSSH server, from Debian's packages in the per-user cache; they are unpacked, not installed.
 * undefined where there is neither the cache nor apt-get.
 */
export function openSsh(): Promise<OpenSsh | undefined> {
  found ??= provide()
  return found
}

async function provide(): Promise<OpenSsh | undefined> {
  const directory = join(cacheDirectory(), 'openssh-debian')
  const gitShell = await gitShellPath()
  if (process.platform !== 'linux' || gitShell === undefined) return undefined
  if (!(await exists(directory))) {
    const unpacked = await withFileLock(`${directory}.lock`, () => unpack(directory), { timeoutMs: 120_000 })
    if (!unpacked) return undefined
  }
  const libraries = await librariesIn(directory)
  const paths = { sshd: join(directory, 'usr/sbin/sshd'), gitShell, libraries }
  const nssWrapper = join(libraries, 'libnss_wrapper.so')
  const works = await execute(paths.sshd, ['-V'], { env: { LD_LIBRARY_PATH: libraries } }).then(
    () => true,
    (error: { stderr?: string }) => /OpenSSH/.test(error.stderr ?? ''),
  )
  return works ? { ...paths, nssWrapper } : undefined
}

async function unpack(directory: string): Promise<boolean> {
  if (await exists(directory)) return true
  await using home = await temporaryDirectory('openssh')
  const target = join(home.path, 'root')
  try {
    await execute('apt-get', ['download', ...PACKAGES], { cwd: home.path, timeout: 60_000 })
    for (const file of (await readdir(home.path)).filter((name) => name.endsWith('.deb')))
      await execute('dpkg', ['-x', join(home.path, file), target])
  } catch {
    return false
  }
  await mkdir(cacheDirectory(), { recursive: true })
  await removeDirectory(`${directory}.new`)
  await cp(target, `${directory}.new`, { recursive: true, verbatimSymlinks: true })
  await rename(`${directory}.new`, directory)
  return true
}

/** Debian has a directory for each processor, such as `usr/lib/x86_64-linux-gnu`. */
async function librariesIn(directory: string): Promise<string> {
  const lib = join(directory, 'usr/lib')
  const name = (await readdir(lib)).find((entry) => entry.endsWith('-linux-gnu')) ?? ''
  return join(lib, name)
}

async function gitShellPath(): Promise<string | undefined> {
  const { stdout } = await execute('git', ['--exec-path']).catch(() => ({ stdout: '' }))
  for (const path of ['/usr/bin/git-shell', join(stdout.trim(), 'git-shell')])
    if (await exists(path)) return path
  return undefined
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
