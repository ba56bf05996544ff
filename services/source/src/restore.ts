import { writeTarGz } from '@setpoint/artifact'
import { readContents } from './archive.ts'
import type { SourceContext } from './context.ts'

/** Makes the archive of a known artifact again when a consumer asks for it and it is not on disk. */
export async function restoreArchive(context: SourceContext, path: string): Promise<boolean> {
  const [, namespace, name] = path.split('/')
  const known = context.memory.find(`${namespace}/${name}`)
  const { state } = known ?? {}
  if (known === undefined || state?.archive?.path !== path) return false
  try {
    const { bytes, digest } = await writeTarGz(await readContents(context, known, state))
    if (digest !== state.archive.digest) return false
    await context.archives.write(path, bytes)
    return true
  } catch (error) {
    context.log.warn({ path, reason: String(error) }, 'an archive could not be made again')
    return false
  }
}
