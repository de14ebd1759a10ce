// Pure. The words of names and descriptions. Texts of a server are cut to a length first: they are
// read by a person in the end, and nobody reads more.

/** What a tool's name, title or parameter is made of: `sendEmail`, `send-email`, `HTTPSend2`. */
export function wordsOf(name: string): string[] {
  return name
    .slice(0, LONGEST_NAME)
    .replaceAll(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
}

/** Of a description: names of other things (`use_this_one`, `a.b`) are no words of its own. */
export function sentencesOf(text: string): string[][] {
  return text
    .slice(0, LONGEST_TEXT)
    .toLowerCase()
    .replaceAll('’', "'")
    .split(/[.!?;:](?:\s|$)|[\n\r•()]+|\s[-–—*]\s/u)
    .map((sentence) =>
      sentence
        .split(/(,)|[\s"“”[\]{}<>/`]+/u)
        .map((word) => word?.replaceAll(/^[^\p{L}\p{N},_]+|[^\p{L}\p{N},_]+$/gu, '') ?? '')
        .filter((word) => word !== ''),
    )
    .filter((sentence) => sentence.length > 0)
}

/** The word itself, and what it may be a form of: `deletes`, `stopping`, `copies`, `emails`. */
export function baseForms(word: string): string[] {
  const forms = [word]
  const endings: readonly (readonly [RegExp, string])[] = [
    [/ies$/, 'y'],
    [/es$/, ''],
    [/s$/, ''],
    [/ying$/, 'y'],
    [/(.)\1ing$/, '$1'],
    [/ing$/, ''],
    [/ing$/, 'e'],
  ]
  for (const [ending, instead] of endings) {
    if (word.length > 3 && ending.test(word)) forms.push(word.replace(ending, instead))
  }
  return forms
}

/** What was done to something: `deleted`, `dropped`, `overwritten`, `sent`. */
export function pastForms(word: string): string[] {
  const irregular = IRREGULAR.get(word)
  if (irregular !== undefined) return [irregular]
  const endings: readonly (readonly [RegExp, string])[] = [
    [/ied$/, 'y'],
    [/(.)\1ed$/, '$1'],
    [/ed$/, ''],
    [/d$/, ''],
  ]
  return endings
    .filter(([ending]) => word.endsWith('ed') && ending.test(word))
    .map(([ending, instead]) => word.replace(ending, instead))
}

const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ['overwritten', 'overwrite'],
  ['written', 'write'],
  ['sent', 'send'],
  ['paid', 'pay'],
  ['run', 'run'],
  ['reset', 'reset'],
])

const LONGEST_NAME = 300
const LONGEST_TEXT = 4_000
