import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Running } from './running.ts'

export interface Module {
  file: string
  args: string[]
  onLine(line: string): void
}

/** Starts a service as a thread of this process. It ends on the message `stop`. */
export async function startThread(module: Module): Promise<Running> {
  const worker = new Worker(module.file, { argv: module.args, stdout: true, stderr: true })
  readLines(worker.stdout, module.onLine)
  readLines(worker.stderr, module.onLine)
  const failure = Promise.withResolvers<string>()
  worker.on('error', (error) => failure.resolve(`failed: ${error instanceof Error ? error.message : error}`))
  const exited = new Promise<string>((resolve) => {
    worker.once('exit', (code) => resolve(`ended with exit code ${code}`))
  })
  return {
    pid: process.pid,
    ended: Promise.race([failure.promise, exited]),
    async stop(graceMs) {
      worker.postMessage('stop')
      const cut = new AbortController()
      await Promise.race([exited, delay(graceMs, undefined, { signal: cut.signal }).catch(() => undefined)])
      cut.abort()
      await worker.terminate()
    },
  }
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let partial = ''
  stream.setEncoding('utf8')
  stream.on('data', (text) => {
    const parts = (partial + String(text)).split('\n')
    partial = (parts.pop() ?? '').slice(-10_000)
    for (const line of parts) onLine(line)
  })
}
