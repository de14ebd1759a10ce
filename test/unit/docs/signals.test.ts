import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findProblems } from '../../../src/cli/check/checks.ts'
import { compileCondition } from '../../../src/pdp/condition.ts'

const page = readFileSync('docs/signals.md', 'utf8')
const blocksOf = (language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text = '']) => text,
  )

describe('docs/signals.md', () => {
  it('has rows that are in order', () => {
    const before = `INSERT INTO tenants (id) VALUES ('corp');
      INSERT INTO issuers (tenant, url, jwks_uri) VALUES
        ('corp', 'https://login.example.com/', 'https://login.example.com/jwks.json');\n`
    const text = before + blocksOf('sql').join('\n')
    expect(findProblems([{ name: 'signals.sql', text }])).toEqual([])
  })

  it('has a condition that compiles', () => {
    const [condition = ''] = blocksOf('cel')
    expect(compileCondition(condition.trim()).ok).toBe(true)
  })
})
