import { open } from 'node:fs/promises'
import { DamagedPack } from './limits.ts'

const WINDOW_BYTES = 512 * 1024
const MAX_WINDOWS = 8

interface Window {
  path: string
  start: number
  end: number
  bytes: Promise<Buffer>
}

/** What was read last of some files, for what is asked for next mostly lies right behind. No file stays open. */
export class Windows {
  private windows: Window[] = []

  /** The bytes of a file between two offsets, and those after them that were read along. */
  async read(path: string, start: number, end: number, size: number): Promise<Buffer> {
    const window =
      this.find(path, start, end) ?? this.open(path, start, Math.max(end, start + WINDOW_BYTES), size)
    const bytes = await window.bytes
    return start === window.start ? bytes : bytes.subarray(start - window.start)
  }

  clear(): void {
    this.windows = []
  }

  private find(path: string, start: number, end: number): Window | undefined {
    return this.windows.find((window) => window.start <= start && end <= window.end && window.path === path)
  }

  private open(path: string, start: number, wanted: number, size: number): Window {
    const end = Math.min(wanted, size)
    const window = { path, start, end, bytes: readRange(path, start, end) }
    this.windows = [window, ...this.windows.slice(0, MAX_WINDOWS - 1)]
    // Who reads it says what is wrong; the next one tries again.
    window.bytes.catch(() => {
      this.windows = this.windows.filter((other) => other !== window)
    })
    return window
  }
}

/** The objects of one pack on disk, by ranges. */
export class PackFile {
  readonly path: string
  /** Where the objects end. */
  end: number
  private readonly windows: Windows

  constructor(path: string, end: number, windows = new Windows()) {
    this.path = path
    this.end = end
    this.windows = windows
  }

  /** Bytes from an offset on: at least so many, or all that there are. @throws DamagedPack */
  from(offset: number, length: number): Promise<Buffer> {
    return this.windows.read(this.path, offset, Math.min(offset + length, this.end), this.end)
  }

  /** Everything from an offset on, piece by piece. @throws DamagedPack */
  async *pieces(offset: number, end = this.end): AsyncGenerator<Buffer> {
    for (let at = offset; at < end; ) {
      const piece = (await this.from(at, Math.min(WINDOW_BYTES, end - at))).subarray(0, end - at)
      yield piece
      at += piece.length
    }
  }
}

async function readRange(path: string, start: number, end: number): Promise<Buffer> {
  if (end <= start) throw new DamagedPack('it ends too early')
  const bytes = Buffer.allocUnsafe(end - start)
  await using file = await open(path)
  for (let filled = 0; filled < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled)
    if (bytesRead === 0) throw new DamagedPack('it ends too early')
    filled += bytesRead
  }
  return bytes
}
