// Conditions that ask for what cannot be: an argument that no tool has, or a value that it never is.
import type { ASTNode } from '@marcbachmann/cel-js'
import { argumentPaths, ELEMENT, nodesOf, parse, pathOf } from './ast.ts'
import { conditionUses, type ConditionUse } from './condition-uses.ts'
import type { InputSchema, JsonType, Variant } from './input-schema.ts'
import type { Finding, RowCheck } from './problem.ts'
import { inputsOf } from './reach.ts'
import { nearest } from './hint.ts'
import { written } from './samples.ts'

/** `args.amuont`: with `has` around it no error ever shows it. */
export const argumentsExist: RowCheck = (rows) =>
  conditionUses(rows).flatMap((use): Finding[] => {
    const inputs = use.compiled.ok ? inputsOf(use.tools) : null
    if (inputs === null) return []
    return argumentPaths(use.text).flatMap(({ names, offset }): Finding[] => {
      const missing = names.findIndex((_, at) => !mayExist(inputs, names.slice(0, at + 1)))
      if (missing < 0) return []
      const path = names.slice(0, missing + 1)
      const certain = inputs.every((input) => input.placeAt(path).unlisted === 'no')
      const known = inputs.flatMap((input) => membersAt(input, names.slice(0, missing)))
      const best = nearest(names[missing] ?? '', known)
      const tools = use.tools.map(({ row }) => `\`${row.name}\``).join(', ')
      return [
        {
          ...use.at,
          code: certain ? 'unknown_argument' : 'warn_unknown_argument',
          message: `the pinned schema of ${tools} has no \`${written(path)}\`; ${
            best === null ? 'correct the name' : `write \`${best}\``
          }`,
          within: { text: use.text, offset },
        },
      ]
    })
  })

const mayExist = (inputs: readonly InputSchema[], names: readonly string[]): boolean =>
  inputs.some((input) => {
    const { variants, unlisted } = input.placeAt(names)
    return variants.length > 0 || unlisted === 'anywhere'
  })

const membersAt = (input: InputSchema, names: readonly string[]): string[] =>
  input.placeAt(names).variants.flatMap(({ properties }) => [...properties.keys()])

/** `args.amount == "5"` compiles, because the engine does not know what the caller sends. */
export const comparisonsCanHold: RowCheck = (rows) =>
  conditionUses(rows).flatMap((use): Finding[] => {
    if (!use.compiled.ok) return []
    const inputs = inputsOf(use.tools)
    return nodesOf(parse(use.text)).flatMap((node): Finding[] => {
      const why = whyNever(node, inputs)
      return why === null ? [] : [finding(use, node, why)]
    })
  })

const finding = (use: ConditionUse, node: ASTNode, why: string): Finding => ({
  ...use.at,
  code: 'condition_never_matches',
  message: `\`${node.input.slice(node.start, node.end)}\` ${node.op === '!=' ? 'is always true' : 'is never true'}: ${why}`,
  within: { text: use.text, offset: node.start },
})

type Literal = string | number | bigint | boolean | null

/** null: it may hold, as far as is certain. */
function whyNever(node: ASTNode, inputs: readonly InputSchema[] | null): string | null {
  if (node.op === '==' || node.op === '!=') {
    const [left, right] = node.args
    return (
      neverEqual(left, right, inputs) ?? neverEqual(right, left, inputs) ?? neverType(left, right)
    )
  }
  if (node.op !== 'in') return null
  const [left, right] = node.args
  if (right.op === 'list') {
    const reasons = right.args.map((element) =>
      isUnsigned(element) && pathOf(left) !== null
        ? 'a number in `args` is a double, which no list of uint holds; write it without the `u`'
        : neverEqual(left, element, inputs),
    )
    return reasons.includes(null) ? null : (reasons[0] ?? null)
  }
  const path = pathOf(right)
  const literal = literalIn(left)
  return path === null || literal === undefined || inputs === null
    ? null
    : neverAt(inputs, [...path.names, ELEMENT], literal)
}

function neverEqual(
  side: ASTNode,
  other: ASTNode,
  inputs: readonly InputSchema[] | null,
): string | null {
  const path = pathOf(side)
  const literal = literalIn(other)
  if (path === null || path.names.length === 0 || literal === undefined) return null
  if (typeof literal === 'bigint' && BigInt(Number(literal)) !== literal) {
    return 'a number in `args` is a double, and no double is this number; compare with `<` or `>`'
  }
  return inputs === null ? null : neverAt(inputs, path.names, literal)
}

/** INVARIANT: certain, or nothing: a schema that is open here could let in anything. */
function neverAt(
  inputs: readonly InputSchema[],
  names: readonly string[],
  literal: Literal,
): string | null {
  const places = inputs.map((input) => input.placeAt(names))
  const variants = places.flatMap((place) => place.variants)
  if (variants.length === 0 || places.some(({ unlisted }) => unlisted !== 'no')) return null
  if (variants.some((variant) => mayEqual(variant, literal))) return null
  const values = variants.flatMap((variant) => variant.values ?? [])
  const types = [...new Set(variants.flatMap((variant) => variant.types))]
  return values.length > 0
    ? `by the pinned schema \`${written(names)}\` is one of ${values.map((value) => JSON.stringify(value)).join(', ')}; write one of them`
    : `by the pinned schema \`${written(names)}\` is of type ${types.join(' or ')}; compare it with such a value`
}

function mayEqual({ types, values }: Variant, literal: Literal): boolean {
  if (!typesOf(literal).some((type) => types.includes(type))) return false
  const plain = typeof literal === 'bigint' ? Number(literal) : literal
  return values === null || values.includes(plain)
}

function typesOf(literal: Literal): readonly JsonType[] {
  if (literal === null) return ['null']
  if (typeof literal === 'string') return ['string']
  if (typeof literal === 'boolean') return ['boolean']
  return Number.isInteger(Number(literal)) ? ['number', 'integer'] : ['number']
}

/** undefined: it is none, or one that this check knows nothing about. */
function literalIn(node: ASTNode): Literal | undefined {
  if (node.op === '-_') {
    const number = literalIn(node.args)
    return typeof number === 'number' || typeof number === 'bigint' ? -number : undefined
  }
  if (node.op !== 'value') return undefined
  const value = node.args
  if (value === null) return null
  return typeof value === 'object' ? undefined : value
}

const isUnsigned = (node: ASTNode): boolean =>
  node.op === 'value' &&
  typeof node.args === 'object' &&
  node.args !== null &&
  !(node.args instanceof Uint8Array)

/** Types that nothing in JSON has. */
const NOT_IN_JSON: ReadonlySet<string> = new Set(['int', 'uint', 'bytes'])

/** `type(args.amount) == int`, with either side first. */
function neverType(left: ASTNode, right: ASTNode): string | null {
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (side.op !== 'call' || side.args[0] !== 'type' || other.op !== 'id') continue
    const [asked] = side.args[1]
    if (asked === undefined || pathOf(asked) === null || !NOT_IN_JSON.has(other.args)) continue
    return 'a number in `args` is always a double; write `double`'
  }
  return null
}
