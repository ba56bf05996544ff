import {
  type HistorySnapshot,
  type Kustomization,
  REASON_SUCCEEDED,
  type Rollback,
  readRollback,
} from '@setpoint/contracts'
import { shortRevision } from '../cluster/managed-object.ts'
import { CommandError } from '../errors.ts'

/**
 * The rollback that brings a Kustomization back to the build of a revision.
 * wanted: a revision as `setpoint history` prints it, or the first digits of its commit.
 * @throws CommandError when no build of it is in the history, or it is the present one.
 */
export function findBuild(kustomization: Kustomization, wanted: string): Rollback {
  const history = kustomization.status?.history ?? []
  const row = history.find((candidate) => isMeant(candidate, wanted))
  if (row === undefined) throw new CommandError(notThere(wanted, history))
  const insteadOf = readRollback(kustomization)?.insteadOf ?? history[0]?.digest ?? ''
  if (row.digest === insteadOf)
    throw new CommandError(
      `${shortRevision(revisionOf(row))} is what the source stands for now; nothing to roll back`,
    )
  return { revision: revisionOf(row), digest: row.digest, insteadOf }
}

/** The commit of a revision such as `main@sha1:<hex>`; '' when it names none. */
export function commitOf(revision: string): string {
  return /(?:^|@)sha1:(?<commit>[0-9a-f]{40})$/.exec(revision)?.groups?.commit ?? ''
}

function isMeant(row: HistorySnapshot, wanted: string): boolean {
  if (row.lastReconciledStatus !== REASON_SUCCEEDED) return false
  const revision = revisionOf(row)
  if (revision === wanted || shortRevision(revision) === wanted) return true
  return wanted.length >= 4 && commitOf(revision).startsWith(wanted.toLowerCase())
}

function notThere(wanted: string, history: readonly HistorySnapshot[]): string {
  const rows = history.filter(({ lastReconciledStatus }) => lastReconciledStatus === REASON_SUCCEEDED)
  const known = rows.map((row) => shortRevision(revisionOf(row))).join(', ')
  return `no build of "${wanted}" that worked is in the history; it has ${known === '' ? 'none' : known}`
}

const revisionOf = (row: HistorySnapshot): string => row.metadata?.revision ?? ''
