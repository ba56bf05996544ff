import { rename, writeFile } from 'node:fs/promises'

/** Writes a file of a repository. A crash leaves the old one or the new one. */
export async function replaceFile(file: string, content: string): Promise<void> {
  await writeFile(`${file}.lock`, content)
  await rename(`${file}.lock`, file)
}
