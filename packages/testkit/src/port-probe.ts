import { connect, type Socket } from 'node:net'

/** True when something takes connections on a port of this machine. */
export function connects(port: number): Promise<boolean> {
  return probe(port, (socket, answer) => socket.once('connect', () => answer(true)))
}

/** A NATS server speaks first: `INFO {…}`, and only after JetStream is ready. */
export function greets(port: number): Promise<boolean> {
  return probe(port, (socket, answer) => {
    socket.setTimeout(1_000, () => answer(false))
    socket.once('close', () => answer(false))
    socket.once('data', (data) => answer(data.toString().startsWith('INFO ')))
  })
}

function probe(
  port: number,
  listen: (socket: Socket, answer: (value: boolean) => void) => void,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const answer = (value: boolean) => {
      socket.destroy()
      resolve(value)
    }
    socket.once('error', () => answer(false))
    listen(socket, answer)
  })
}
