import { describe, expect, it } from 'vitest'
import { compare } from '../../../local/conformance/compare.ts'
import type { Check } from '../../../local/conformance/suites.ts'

const check = (id: string, status: string, message: string | null = null): Check => ({
  scenario: 'tools-list',
  id,
  name: id,
  status,
  message,
})

describe('two runs of the suite', () => {
  it('are equal if the same checks passed, in whatever order', () => {
    const one = [check('a', 'SUCCESS'), check('b', 'SUCCESS'), check('c', 'FAILURE')]
    const { differences, otherwise, passedDirect } = compare(one, one.toReversed())
    expect({ differences, otherwise, passedDirect }).toEqual({
      differences: [],
      otherwise: [],
      passedDirect: 2,
    })
  })

  it('differ by a check that no longer passes, and say what the suite had against it', () => {
    const { differences } = compare([check('a', 'SUCCESS')], [check('a', 'FAILURE', 'HTTP 400')])
    expect(differences).toMatchObject([
      { direct: 'SUCCESS', through: 'FAILURE', message: 'HTTP 400' },
    ])
  })

  it('differ by a check that is missing, and by one that passes only through Sallyport', () => {
    const { differences } = compare([check('a', 'SUCCESS')], [check('b', 'SUCCESS')])
    expect(differences.map(({ direct, through }) => `${direct} ${through}`)).toEqual([
      'SUCCESS absent',
      'absent SUCCESS',
    ])
  })

  it('count a check that a scenario makes twice twice', () => {
    const twice = [check('a', 'SUCCESS'), check('a', 'SUCCESS')]
    expect(compare(twice, [check('a', 'SUCCESS')]).differences).toHaveLength(1)
    expect(compare(twice, [check('a', 'SUCCESS'), check('a', 'FAILURE')]).differences).toHaveLength(
      1,
    )
  })

  it('do not differ by what passes in neither, but it is told', () => {
    const { differences, otherwise } = compare([check('a', 'WARNING')], [check('a', 'FAILURE')])
    expect(differences).toEqual([])
    expect(otherwise).toHaveLength(1)
  })

  it('do not count what the suite merely notes', () => {
    expect(compare([check('a', 'INFO')], []).otherwise).toEqual([])
  })
})
