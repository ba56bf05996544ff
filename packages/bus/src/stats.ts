/** Messages and bytes by message type or bucket. */
export type Traffic = Record<string, { messages: number; bytes: number }>

/** What went over the bus since the start. */
export interface BusStats {
  published: Traffic
  received: Traffic
  deadLetters: number
}

export function count(into: Traffic, name: string, bytes: number): void {
  into[name] ??= { messages: 0, bytes: 0 }
  into[name].messages += 1
  into[name].bytes += bytes
}
