import type { FileUse, OpenFile } from '@setpoint/kustomize'
import { type Format, formatForPath, isEncryptedText } from '@setpoint/sops'
import type { Decryptor } from './decryptor.ts'

/** Decrypts what a secretGenerator or a patch names, as Flux does before a build. Anything else stays as it is. */
export function decryptingOpenFile(decryptor: Decryptor): OpenFile {
  return ({ path, content }, use) => {
    const format = formatOf(use)
    if (!isEncryptedText(Buffer.from(content).toString('latin1'), format)) return content
    if (use.as === 'patch') decryptor.openedPatch = true
    return decryptor.text(content, path, format, format) ?? content
  }
}

function formatOf({ as, name }: FileUse): Format {
  const format = formatForPath(name)
  return as === 'secretEnv' && format === 'binary' ? 'dotenv' : format
}
