import { type FileHandle, open } from 'node:fs/promises'
import { join, normalize } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'

export interface ArchiveServerOptions {
  host: string
  port: number
  /** Directory of the archives. */
  root: string
  /** Makes an archive that is not on disk again; false when it is none that we know. */
  restore(path: string): Promise<boolean>
}

/** Serves `GET /<kind>/<namespace>/<name>/<file>.tar.gz`, as Flux's source-controller does. */
export async function startArchiveServer(options: ArchiveServerOptions): Promise<FastifyInstance> {
  const server = Fastify({ logger: false, forceCloseConnections: true })
  server.get<{ Params: Record<'kind' | 'namespace' | 'name' | 'file', string> }>(
    '/:kind/:namespace/:name/:file',
    async ({ params }, reply) => {
      const { kind, namespace, name, file } = params
      const path = `${kind}/${namespace}/${name}/${file}`
      if (!isPlain(path) || !file.endsWith('.tar.gz')) return reply.code(404).send()
      const found = (await openFile(join(options.root, path))) ?? (await restored(options, path))
      if (found === undefined) return reply.code(404).send()
      reply.header('content-length', found.size).type('application/gzip')
      return reply.send(found.file.createReadStream())
    },
  )
  await server.listen({ host: options.host, port: options.port })
  return server
}

/** What was made again for one consumer may be swept up for another before it is opened. */
const MAX_RESTORES = 3

async function restored(options: ArchiveServerOptions, path: string): Promise<OpenFile | undefined> {
  for (let attempt = 1; attempt <= MAX_RESTORES; attempt += 1) {
    if (!(await options.restore(path))) return undefined
    const file = await openFile(join(options.root, path))
    if (file !== undefined) return file
  }
  return undefined
}

interface OpenFile {
  file: FileHandle
  size: number
}

/** An open file is read to its end, even if it is swept up meanwhile. */
async function openFile(path: string): Promise<OpenFile | undefined> {
  const file = await open(path).catch(() => undefined)
  const found = await file?.stat()
  if (file !== undefined && found?.isFile()) return { file, size: found.size }
  await file?.close()
  return undefined
}

/** Four plain names, the last of which may hold a digest: nothing that could leave the directory. */
function isPlain(path: string): boolean {
  return (
    /^[a-z0-9]+(?:\/[a-z0-9][-a-z0-9.]*){2}\/[a-z0-9][-a-z0-9.:]*$/.test(path) && normalize(path) === path
  )
}
