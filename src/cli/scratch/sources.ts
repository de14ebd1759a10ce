import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join, relative } from 'node:path'
import { Mistake } from '../mistake.ts'

export interface Source {
  /** As the author would name it: relative to where the command runs. */
  readonly name: string
  readonly text: string
}

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url))

/** What wrangler would apply: the folder's own files, in the order of their names. */
export const migrationSources = (): Source[] => filesOf(MIGRATIONS, '.sql', false).map(readSource)

/** Files and folders in the order given; a folder's files in the order of their names. */
export const sqlSources = (paths: readonly string[]): Source[] =>
  paths.flatMap((path) => pathsOf(path, '.sql')).map(readSource)

/** Without paths: the folder `policies`, where there is one. */
export const orDefaultFolder = (paths: readonly string[]): readonly string[] =>
  paths.length > 0 ? paths : existsSync('policies') ? ['policies'] : []

export function pathsOf(path: string, ending: string): string[] {
  if (!existsSync(path)) throw new Mistake(`no such file or folder: \`${path}\``)
  return statSync(path).isDirectory() ? filesOf(path, ending, true) : [path]
}

function filesOf(folder: string, ending: string, recursive: boolean): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted((a, b) => (a < b ? -1 : 1))
}

/** The local seeds leave these open, because ports differ from stack to stack. */
const PLACEHOLDERS: readonly (readonly [string, string])[] = [
  ['{{issuer}}', 'https://issuer.example'],
  ['{{server}}', 'https://server.example'],
]

function readSource(path: string): Source {
  let text = readFileSync(path, 'utf8')
  for (const [placeholder, value] of PLACEHOLDERS) text = text.replaceAll(placeholder, value)
  return { name: relative('.', path), text }
}
