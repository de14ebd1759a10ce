import { describe, expect, it } from 'vitest'
import {
  literalValue,
  offsetInLiteral,
  positionOf,
  splitStatements,
} from '../../../src/cli/scratch/statements.ts'

const texts = (file: string) => splitStatements(file).map(({ text }) => text)

describe('splitting SQL', () => {
  it.each([
    ['SELECT 1; SELECT 2', ['SELECT 1', 'SELECT 2']],
    ["SELECT ';', 'it''s;'; SELECT 2;", ["SELECT ';', 'it''s;'", 'SELECT 2']],
    ['SELECT ";", `;`, [;]; SELECT 2', ['SELECT ";", `;`, [;]', 'SELECT 2']],
    ['-- a; b\nSELECT 1; /* ; */ -- end', ['SELECT 1']],
    ["SELECT '-- no comment'; SELECT 2", ["SELECT '-- no comment'", 'SELECT 2']],
    [
      'CREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT CASE WHEN 1 THEN 2 END; SELECT 3; END; SELECT 4',
      [
        'CREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT CASE WHEN 1 THEN 2 END; SELECT 3; END',
        'SELECT 4',
      ],
    ],
    [
      'CREATE TEMP TRIGGER t AFTER INSERT ON x WHEN CASE 1 WHEN 1 THEN 1 END BEGIN SELECT 1; END; SELECT 2',
      [
        'CREATE TEMP TRIGGER t AFTER INSERT ON x WHEN CASE 1 WHEN 1 THEN 1 END BEGIN SELECT 1; END',
        'SELECT 2',
      ],
    ],
    ["SELECT 'never closed; SELECT 2", ["SELECT 'never closed; SELECT 2"]],
    ['; ;\n', []],
  ])('%s', (file, expected) => expect(texts(file)).toEqual(expected))

  it('finds a place inside a literal whose quotes are doubled', () => {
    const file = "SELECT\n  'it''s\nhere'"
    const token = splitStatements(file)[0]?.tokens.find(({ kind }) => kind === 'string')
    if (token === undefined) throw new Error('no literal')
    expect(literalValue(token)).toBe("it's\nhere")
    expect(positionOf(file, offsetInLiteral(token, 3))).toEqual({ line: 2, column: 8 })
    expect(positionOf(file, offsetInLiteral(token, 5))).toEqual({ line: 3, column: 1 })
  })
})
