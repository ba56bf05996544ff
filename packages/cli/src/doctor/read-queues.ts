/** One queue of a service, as its metrics show it. */
export interface QueueReport {
  name: string
  /** Keys that wait for work. */
  waiting: number
  finished: number
  /** Age of the longest run, in seconds. */
  longestSeconds: number
}

const FIELDS: Record<string, keyof Omit<QueueReport, 'name'>> = {
  workqueue_depth: 'waiting',
  workqueue_finished_total: 'finished',
  workqueue_longest_running_processor_seconds: 'longestSeconds',
}

/** Reads the queues out of the Prometheus text of /metrics. */
export function readQueues(metrics: string): QueueReport[] {
  const queues = new Map<string, QueueReport>()
  for (const line of metrics.split('\n')) {
    const match = /^(?<metric>workqueue_\w+)\{[^}]*name="(?<name>[^"]*)"[^}]*\} (?<value>\S+)$/.exec(line)
    const field = FIELDS[match?.groups?.metric ?? '']
    if (match?.groups === undefined || field === undefined) continue
    const { name = '', value } = match.groups
    const queue = queues.get(name) ?? { name, waiting: 0, finished: 0, longestSeconds: 0 }
    queue[field] = Number(value)
    queues.set(name, queue)
  }
  return [...queues.values()]
}
