/** One start of a part: a child process or a worker thread. */
export interface Running {
  /** Of the process it runs in. */
  pid: number
  /** Settles when it has ended, with how, in a few words. */
  ended: Promise<string>
  /** Asks it to finish what is under way and end; ends it by force after the grace time. */
  stop(graceMs: number): Promise<void>
}

/** A part that the supervisor keeps running. */
export interface Part {
  name: string
  start(): Promise<Running>
}
