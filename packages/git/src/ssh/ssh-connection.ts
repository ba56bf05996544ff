import type { Duplex } from 'node:stream'
import {
  Client,
  type ClientChannel,
  type ConnectConfig,
  type ParsedKey,
  type ServerHostKeyAlgorithm,
} from 'ssh2'
import { parseAddress } from '../address.ts'
import { GitError } from '../errors.ts'
import type { OperationLimits } from '../operation-limits.ts'
import type { RemoteOptions } from '../remote-options.ts'
import { messageOf } from '../translate-error.ts'
import { openTunnel } from '../tunnel.ts'
import { parseIdentity } from './identity.ts'
import { type KnownHosts, parseKnownHosts } from './known-hosts.ts'

const DEFAULT_PORT = 22
const DEFAULT_USER = 'git'

/** A logged-in connection to an SSH server whose host key was checked. */
export interface SshConnection extends Disposable {
  /** Runs one command. */
  run(command: string): Promise<ClientChannel>
}

/** @throws GitError AuthenticationFailed, HostKeyRefused, Unreachable, Timeout */
export async function connectSsh(options: RemoteOptions, limits: OperationLimits): Promise<SshConnection> {
  const { hostname, port, username } = parseAddress(options.url)
  const address = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || DEFAULT_PORT }
  const shown = port === '' ? hostname : `${hostname}:${port}`
  if (options.ssh === undefined)
    throw new GitError(
      'AuthenticationFailed',
      `${shown} is reached by ssh, which needs a Secret with identity and known_hosts`,
    )
  const login = {
    privateKey: parseIdentity(options.ssh),
    knownHosts: parseKnownHosts(options.ssh.knownHosts),
    username: username === '' ? DEFAULT_USER : decodeURIComponent(username),
  }
  try {
    const socket = await openTunnel(address, options, limits.signal)
    return await logIn(socket, address, login, limits.signal)
  } catch (cause) {
    throw toGitError(cause, shown, limits)
  }
}

interface Login {
  privateKey: ParsedKey
  knownHosts: KnownHosts
  username: string
}

async function logIn(
  socket: Duplex,
  { host, port }: { host: string; port: number },
  { privateKey, knownHosts, username }: Login,
  signal: AbortSignal,
): Promise<SshConnection> {
  const client = new Client()
  let refusal: unknown
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  client.once('ready', resolve)
  client.on('error', (error) => reject(refusal ?? error))
  client.once('close', () => reject(refusal ?? new Error('the connection was closed')))
  try {
    client.connect({
      sock: socket as NonNullable<ConnectConfig['sock']>,
      username,
      authHandler: onlyKey(username, privateKey),
      readyTimeout: 0,
      algorithms: { serverHostKey: hostKeyAlgorithms(knownHosts.keyTypesOf(host, port)) },
      hostVerifier: (key: Buffer) => {
        try {
          knownHosts.check(host, port, key)
          return true
        } catch (error) {
          refusal = error
          return false
        }
      },
    })
    await promise
  } catch (error) {
    client.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
  return { run: (command) => run(client, command), [Symbol.dispose]: () => void client.destroy() }
}

/** ssh2 takes a list of methods, and keys that are parsed already; its types know neither. */
function onlyKey(username: string, key: ParsedKey): NonNullable<ConnectConfig['authHandler']> {
  return [{ type: 'publickey', username, key }] as unknown as NonNullable<ConnectConfig['authHandler']>
}

function run(client: Client, command: string): Promise<ClientChannel> {
  const { promise, resolve, reject } = Promise.withResolvers<ClientChannel>()
  client.once('close', () => reject(new Error('the connection was closed')))
  client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)))
  return promise
}

const ALGORITHMS: Record<string, readonly ServerHostKeyAlgorithm[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
}

/** The kinds of keys that are known come first, so that the server shows one of them; no SHA-1. */
function hostKeyAlgorithms(known: string[]): ServerHostKeyAlgorithm[] {
  const types = new Set([...known, ...Object.keys(ALGORITHMS)])
  return [...types].flatMap((type) => ALGORITHMS[type] ?? [])
}

function toGitError(cause: unknown, shown: string, limits: OperationLimits): GitError {
  const level = typeof cause === 'object' && cause !== null && 'level' in cause ? cause.level : undefined
  if (level === 'client-authentication')
    return new GitError('AuthenticationFailed', `${shown} refused the SSH key (identity) of the Secret`)
  if (level === 'handshake' || level === 'protocol')
    return new GitError('ProtocolError', `${shown} and we do not agree on SSH: ${messageOf(cause)}`)
  return limits.problem(cause, shown)
}
