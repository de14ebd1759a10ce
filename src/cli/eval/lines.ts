// JSON and JSON Lines, plain or gzip, as recorded traces and their catalogues come.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { Mistake } from '../mistake.ts'

/** What one file may unpack to. */
const LARGEST = 1_000_000_000

export function readText(file: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch {
    throw new Mistake(`cannot read \`${file}\``)
  }
  // RFC 1952 §2.3.1.
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b
  return (packed ? gunzipSync(bytes, { maxOutputLength: LARGEST }) : bytes).toString('utf8')
}

export function readLines(file: string): unknown[] {
  return readText(file)
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [parse(line, `${file}:${index + 1}`)]))
}

export const readJson = (file: string): unknown => parse(readText(file), file)

function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Mistake(`${place} is not JSON`)
  }
}

export type Row = Readonly<Record<string, unknown>>

export const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const textIn = (row: Row, name: string): string | null => {
  const value = row[name]
  return typeof value === 'string' ? value : null
}

export const listIn = (row: Row, name: string): readonly unknown[] => {
  const value = row[name]
  return Array.isArray(value) ? (value as readonly unknown[]) : []
}

export const textsIn = (row: Row, name: string): string[] =>
  listIn(row, name).filter((value) => typeof value === 'string')
