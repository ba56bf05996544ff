import { parseArgs } from 'node:util'

/**
 * The command line of a bench: `--only` takes some of the measurements, `--help` names them.
 * @param command such as `bench:source` @param says what the bench starts and prints
 */
export async function runMeasurements<Bench extends AsyncDisposable>(
  command: string,
  says: string,
  measurements: Readonly<Record<string, (bench: Bench) => Promise<string>>>,
  start: () => Promise<Bench>,
): Promise<void> {
  const names = Object.keys(measurements)
  const help = `Usage: npm run ${command} -- [--only ${names.join(',')}]\n\n${says}`
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: names.join(',') },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(help)
    return
  }
  const wanted = values.only.split(',')
  await using bench = await start()
  for (const [name, measure] of Object.entries(measurements))
    if (wanted.includes(name)) console.log(await measure(bench))
}
