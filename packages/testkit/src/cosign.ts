import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { binary } from './binary.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const run = promisify(execFile)

/** A key pair of cosign's. */
export interface CosignKey extends AsyncDisposable {
  /** PEM. */
  publicKey: string
  /**
   * Signs what a digest stands for, in a registry over plain HTTP.
   * @param form how newer versions write it (bundle), or older ones (payload)
   */
  sign(image: string, form: 'bundle' | 'payload'): Promise<void>
}

/** Makes a key with the real cosign. Nothing is told to a transparency log. */
export async function newCosignKey(): Promise<CosignKey> {
  const program = await binary('cosign')
  const home = await temporaryDirectory('cosign')
  const options = { cwd: home.path, env: { ...process.env, HOME: home.path, COSIGN_PASSWORD: 'secret' } }
  await run(program, ['generate-key-pair'], options)
  return {
    publicKey: await readFile(join(home.path, 'cosign.pub'), 'utf8'),
    sign: async (image, form) => {
      const flags = ['--yes', '--tlog-upload=false', '--use-signing-config=false', '--allow-http-registry']
      const bundle = `--new-bundle-format=${form === 'bundle'}`
      await run(program, ['sign', '--key=cosign.key', ...flags, bundle, image], options)
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  }
}
