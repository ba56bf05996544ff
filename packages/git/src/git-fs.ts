import fs from 'node:fs'

/**
 * isomorphic-git asks twice for each object that it reads whether this gives promises, by a call without a path. The Error
 * that the real one makes of that is a tenth of what a first fetch costs.
 */
const readFile = ((path: string | undefined, options?: object) =>
  path === undefined ? Promise.resolve() : fs.promises.readFile(path, options)) as typeof fs.promises.readFile

/** The file system as isomorphic-git takes it. */
export const gitFs = { promises: { ...fs.promises, readFile } }
