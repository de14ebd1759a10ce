// Pure. Everything that the rules may ask of a history, however it is kept: in a Durable Object, in
// memory, or told anew from a log. And what a step changes of it, for whoever keeps it.
import type { SessionFlags } from '../provenance/flags.ts'
import type { OriginFact } from '../provenance/origin.ts'
import type { ValueFact } from './distinct.ts'
import type { LabelFact } from './facts.ts'
import type { Bucket } from './sums.ts'

/** Whose history a fact belongs to. The key is '' for the subject, who owns the whole session. */
export const SCOPES = ['subject', 'actor', 'task'] as const
export type Scope = (typeof SCOPES)[number]

export interface FactKey {
  readonly scope: Scope
  readonly key: string
  readonly label: string
  /** '' where the fact is not kept by group (groups.ts). */
  readonly group: string
}

/** The values that one role or resource type had in the calls that carried a label. */
export interface ValuesKey extends FactKey {
  readonly field: string
}

/** What they add up to, in buckets of `width` milliseconds. */
export interface SumKey extends ValuesKey {
  readonly width: number
}

export interface OriginKey {
  readonly digest: string
  /** A resource type, or another word that it is kept under; null: the value itself. */
  readonly type: string | null
}

/** What the rules read. */
export interface Memory {
  label(key: FactKey): LabelFact | undefined
  /** How many distinct values all these had since `from`, with `also`. Infinity: cannot be told. */
  distinct(keys: readonly ValuesKey[], from: number, also: readonly string[]): number
  /** What has been added since the bucket that `from` lies in. Infinity: cannot be told. */
  sum(key: SumKey, from: number): number
  origins(digest: string, type: string | null): OriginFact
  flags(): SessionFlags
}

/** What a step reads besides, to say what it changes. */
export interface WorkingMemory extends Memory {
  /** The table that the facts of all groups and keys of this label share. */
  groups(key: FactKey): Eldest<FactKey>
  value(key: ValuesKey, digest: string): ValueFact | undefined
  values(key: ValuesKey): Eldest<ValuesKey & { readonly digest: string }>
  bucket(key: SumKey, start: number): Bucket | undefined
  /** The starts of a few buckets that began before `start`. */
  bucketsBefore(key: SumKey, start: number): readonly number[]
  /** The table that the values or sums of all groups and keys of this label share. */
  tallies(key: ValuesKey | SumKey): TallyTable
  /** The table that what is known of this value belongs to. */
  originsLike(value: OriginKey['type'], fact: OriginFact): Eldest<OriginKey>
}

/** A table of bounded size, seen from its end. */
export interface Eldest<T> {
  readonly size: number
  /** From the one that was touched longest ago. */
  readonly eldest: () => Iterable<T>
  readonly has: (entry: T) => boolean
}

export interface TallyTable {
  /** How many groups it keeps. */
  readonly size: number
  readonly has: boolean
  /** What must be forgotten of its eldest group, if all of it was before `at`; else nothing. */
  readonly outdated: (at: number) => readonly Change[]
}

/**
 * One thing to be remembered anew, or forgotten where its value is null. `kind` and `key` name it:
 * whoever keeps a memory keeps the last value of each, and a memory is whole again once it was told
 * them all.
 */
export type Change =
  | { readonly kind: 'label'; readonly key: FactKey; readonly value: LabelFact | null }
  | {
      readonly kind: 'value'
      readonly key: ValuesKey & { readonly digest: string }
      readonly value: ValueFact | null
    }
  | {
      readonly kind: 'amount'
      readonly key: SumKey & { readonly start: number }
      readonly value: Bucket | null
    }
  | { readonly kind: 'origin'; readonly key: OriginKey; readonly value: OriginFact | null }
  | { readonly kind: 'flag'; readonly key: Record<string, never>; readonly value: SessionFlags }
