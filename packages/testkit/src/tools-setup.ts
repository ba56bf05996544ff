import { ensureBinaries, toolSource } from './binary.ts'

/**
 * Vitest's global setup of both projects: the programs that tests start are there before the first test, so
 * that no test's time limit includes a build.
 */
export default async function setup(): Promise<void> {
  await ensureBinaries(['nats-server', 'helm', 'registry', 'sops', 'cosign'])
  // Released nowhere.
  if (toolSource() !== 'download') await ensureBinaries(['s3-server', 'local-kms'])
}
