import { type FileChange, UpdateError } from '@setpoint/image-update'

/** So often the same value is pushed against somebody who takes it back. */
const MAX_PUSHES = 3
const MAX_REMEMBERED = 10_000

interface Pushed {
  value: string
  times: number
}

/**
 * Notices when somebody else, such as another automation whose policy disagrees, takes back again and again what was
 * pushed: then nothing more is pushed until the policy chooses another image or somebody asks for it.
 */
export class Contest {
  private readonly writers = new Map<string, Map<string, Pushed>>()
  private readonly onRefused: () => void

  constructor(onRefused: () => void) {
    this.onRefused = onRefused
  }

  /** @throws UpdateError when one of the changes was pushed too often already */
  refuse(writer: string, changes: readonly FileChange[]): void {
    for (const change of changes) {
      const before = this.pushed(writer).get(keyOf(change))
      if (before?.value !== change.newValue || before.times < MAX_PUSHES) continue
      this.onRefused()
      const { path, line, setter, oldValue, newValue } = change
      throw new UpdateError(
        'UpdateFailed',
        `${path}:${line}: ${newValue} was pushed ${MAX_PUSHES} times for "${setter}", and somebody takes it back: it is ${oldValue} again. Maybe a policy of another automation disagrees. Nothing is pushed until another image is chosen or a reconciliation is requested`,
      )
    }
  }

  note(writer: string, changes: readonly FileChange[]): void {
    const pushed = this.pushed(writer)
    if (pushed.size > MAX_REMEMBERED) pushed.clear()
    for (const change of changes) {
      const before = pushed.get(keyOf(change))
      const times = before?.value === change.newValue ? before.times + 1 : 1
      pushed.set(keyOf(change), { value: change.newValue, times })
    }
  }

  forget(writer: string): void {
    this.writers.delete(writer)
  }

  private pushed(writer: string): Map<string, Pushed> {
    const found = this.writers.get(writer) ?? new Map<string, Pushed>()
    this.writers.set(writer, found)
    return found
  }
}

const keyOf = ({ path, setter }: FileChange): string => `${path}\0${setter}`
