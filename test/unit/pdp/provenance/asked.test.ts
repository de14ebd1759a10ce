import { expect, test } from 'vitest'
import { isAskedFor, nameParts, NOTHING_ASKED } from '../../../../src/pdp/provenance/asked.ts'
import { askedInWords } from '../../../support/pdp/origins.ts'

test.each([
  ['send_email', 'Please write to Bob that I am late', true],
  ['sendEmail', 'E-mailing Bob would be nice', true],
  ['crm/delete_contact', 'I want the contact removed', true],
  ['cancel_calendar_event', 'what about the cancellation of lunch?', true],
  ['schedule_transaction', 'pay my rent', true],
  ['delete_file', 'Summarise the file', false],
  ['send_money', 'resend', false],
  ['frobnicate', 'please frobnicate it', true],
  ['', 'anything', false],
])('%s is asked for by %j: %s', (tool, words, expected) => {
  expect(isAskedFor(tool, askedInWords(words))).toBe(expected)
})

test('a task that names the tool asks for it, and no words ask for nothing', () => {
  expect(isAskedFor('delete_file', { ...NOTHING_ASKED, task: true, tools: ['delete_file'] })).toBe(
    true,
  )
  expect(isAskedFor('delete_file', NOTHING_ASKED)).toBe(false)
})

test('names are cut into words', () => {
  expect(nameParts('srv/HTTPSendFile-v2')).toEqual(['httpsend', 'file', 'v2'])
})

test('long words cost no time', () => {
  const from = performance.now()
  expect(isAskedFor('send_email', askedInWords('x'.repeat(1_000_000)))).toBe(false)
  expect(performance.now() - from).toBeLessThan(5_000)
})
