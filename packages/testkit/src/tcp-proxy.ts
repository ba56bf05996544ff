import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A network between a client and a server that a test can cut and mend. */
export interface TcpProxy extends AsyncDisposable {
  port: number
  /** Breaks all connections; new ones are closed at once. */
  cut(): void
  /** Passes nothing on any more, while the connections stay open. New ones are the same. */
  freeze(): void
  /** Ends either; what was kept back by a freeze arrives now. */
  mend(): void
}

interface Link {
  from: Socket
  to: Socket
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const links = new Set<Link>()
  let state: 'open' | 'cut' | 'frozen' = 'open'
  const server = createServer((incoming) => {
    if (state === 'cut') return void incoming.destroy()
    const outgoing = connect(targetPort, '127.0.0.1')
    for (const link of [
      { from: incoming, to: outgoing },
      { from: outgoing, to: incoming },
    ]) {
      links.add(link)
      link.from.on('error', () => undefined)
      link.from.on('close', () => {
        links.delete(link)
        link.to.destroy()
      })
      if (state === 'open') link.from.pipe(link.to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    state = 'cut'
    for (const { from } of links) from.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    freeze() {
      state = 'frozen'
      for (const { from, to } of links) from.unpipe(to).pause()
    },
    mend() {
      if (state === 'frozen') for (const { from, to } of links) from.pipe(to)
      state = 'open'
    },
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
    },
  }
}
