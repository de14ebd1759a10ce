// Pure. What a person should look at twice, told in comments beside a tool's row.
import { isJsonObject } from '../../mcp/value.ts'
import type { Suggestion } from './suggest.ts'
import { hiddenIn, sqlComment } from './sql-text.ts'
import { definitionSql, type PinnedTool } from './pin.ts'

/** Lines without `--`: what the tool says of itself first, then what is odd about it. */
export function notesOn(pinned: PinnedTool, suggestion: Suggestion): string[] {
  const description = descriptionOf(pinned)
  const said = description.trim() === '' ? [] : [sqlComment(description)]
  return [...said, ...warningsOn(pinned, suggestion)]
}

export function warningsOn(pinned: PinnedTool, { access }: Suggestion): string[] {
  const { annotations } = pinned.tool
  const hints = isJsonObject(annotations) ? annotations : {}
  const description = descriptionOf(pinned)
  const hidden = hiddenIn(pinned.definition)
  const odd = [
    access !== 'read' && hints['readOnlyHint'] === true
      ? `the server calls it read-only, and its words say \`${access}\``
      : null,
    access === 'destructive' && hints['destructiveHint'] === false
      ? 'the server calls it not destructive, and its words say otherwise'
      : null,
    hidden > 0 ? `${hidden} of its characters cannot be seen; they are written as char(…)` : null,
    ASKS_THE_MODEL.test(pinned.definition) ? 'it gives orders to the model' : null,
    description.trim() === '' ? 'it has no description' : null,
    definitionSql(pinned) === null ? 'its definition is too long to be kept; its pin holds' : null,
  ]
  return odd.flatMap((note) => (note === null ? [] : [`LOOK TWICE: ${note}`]))
}

const descriptionOf = ({ tool }: PinnedTool): string =>
  typeof tool['description'] === 'string' ? tool['description'] : ''

/** What a definition has no need of in any place, and poisoned ones are seldom without. */
const ASKS_THE_MODEL =
  /<\/?(?:important|system|secret|instructions?)>|\b(?:ignore|disregard|forget)\b.{0,40}\b(?:previous|prior|above|other|all)\b|\bdo not (?:tell|mention|inform|show|reveal)\b|\b(?:before|instead of) (?:using|calling) (?:any|this|other)\b|\bsystem prompt\b/i
