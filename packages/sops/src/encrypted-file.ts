import { readDotenv } from './dotenv-file.ts'
import type { Format } from './format.ts'
import { readIni } from './ini-file.ts'
import type { Metadata } from './metadata.ts'
import type { Branch, Visit } from './value.ts'
import { readJson, readYaml } from './yaml-file.ts'

/** Gives the text for an encrypted comment; undefined leaves it as it is. */
export type VisitComment = (comment: string, path: readonly string[]) => string | undefined

/** A file as SOPS wrote it, without its metadata. */
export interface EncryptedFile {
  metadata: Metadata
  /** Visits the leaves in the order of the file, and puts what comes back in their place. */
  walk(visit: Visit, visitComment: VisitComment): void
  /** What it holds now, one branch for each document. */
  branches(): Branch[]
  /** Its text now, in its own format. */
  print(): string
}

/**
 * @param mac take only the YAML documents with this MAC: a file may be put together from several.
 * @throws SopsError BadFile naming the line, when the text is no encrypted file of the format.
 */
export function readEncryptedFile(text: string, format: Format, mac?: string): EncryptedFile {
  switch (format) {
    case 'yaml':
      return readYaml(text, mac)
    case 'json':
    case 'binary':
      return readJson(text)
    case 'dotenv':
      return readDotenv(text)
    case 'ini':
      return readIni(text)
  }
}
