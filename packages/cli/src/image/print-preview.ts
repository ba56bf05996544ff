import type { Io } from '../io.ts'
import type { UpdatePreview } from './preview-update.ts'

/** The commit that would be made, in the way of `git format-patch`: what it says, then a patch that `git apply` takes. */
export function printPreview(io: Io, preview: UpdatePreview): void {
  const { url, branch, base, message, changes, problems, withoutImage, patch } = preview
  for (const name of withoutImage) io.stderr.write(`imagepolicy "${name}" has chosen no image yet\n`)
  for (const problem of problems) io.stderr.write(`${problem}\n`)
  const where = `${branch} of ${url}, which is at ${base.slice(0, 8)}`
  if (changes.length === 0) {
    io.stdout.write(`nothing to commit to ${where}\n`)
    return
  }
  const indented = message.trimEnd().replaceAll(/^(?=.)/gm, '    ')
  io.stdout.write(`one commit to ${where}:\n\n${indented}\n\n${patch}`)
}
