import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEventStream, type StreamEvent } from '../../../src/mcp/event-stream.ts'
import { propertyRuns } from '../../support/property-runs.ts'

interface Split {
  readonly events: readonly StreamEvent[]
  readonly leftover: string
}

function split(...chunks: readonly string[]): Split {
  const stream = createEventStream()
  const events = chunks.flatMap((chunk) => stream.feed(chunk))
  const end = stream.end()
  return { events: [...events, ...end.events], leftover: end.leftover }
}

const blank = { data: null, event: null, id: null, retry: null }

describe('one event', () => {
  it.each([
    ['data: a\n\n', { data: 'a' }, 'the common form'],
    ['data:a\n\n', { data: 'a' }, 'the space is optional'],
    ['data:  a\n\n', { data: ' a' }, 'only one space is removed'],
    ['data: a\r\n\r\n', { data: 'a' }, 'CRLF'],
    ['data: a\r\r', { data: 'a' }, 'CR alone'],
    ['data: a\ndata: b\n\n', { data: 'a\nb' }, 'lines are joined'],
    ['data\n\n', { data: '' }, 'a field without a colon has an empty value'],
    ['id: 7\ndata:\n\n', { data: '', id: '7' }, 'the priming event of 2025-11-25'],
    ['event: x\nid: 1\nretry: 20\ndata: d\n\n', { event: 'x', id: '1', retry: 20, data: 'd' }, ''],
    ['event: x\nevent: y\ndata: d\n\n', { event: 'y', data: 'd' }, 'the last one counts'],
    ['retry: 1x\nretry: -5\n\n', {}, 'digits only'],
    ['id: a\0b\n\n', {}, 'an id with NUL is ignored'],
    ['Data: a\n data: b\n\n', {}, 'field names are exact'],
    [': ka\n\n', {}, 'a keep-alive comment'],
    ['\n', {}, 'a blank line alone'],
    ['\ufeffdata: a\n\n', { data: 'a' }, 'a leading byte order mark is no part of the line'],
    ['\ufeff\ufeffdata: a\n\n', {}, 'one mark only'],
  ])('%j', (raw, fields, _why) => {
    expect(split(raw)).toEqual({ events: [{ ...blank, raw, ...fields }], leftover: '' })
  })

  it('is released as soon as its line feed arrives', () => {
    const stream = createEventStream()
    expect(stream.feed('data: a\n')).toEqual([])
    expect(stream.pending).toBe(8)
    expect(stream.feed('\n')).toHaveLength(1)
    expect(stream.pending).toBe(0)
    expect(stream.feed('data: b\r\n\r\n')).toHaveLength(1)
  })

  it('is not complete at the end without its blank line', () => {
    expect(split('data: a\n\ndata: b\n')).toMatchObject({
      events: [{ data: 'a' }],
      leftover: 'data: b\n',
    })
  })

  it('keeps a line feed with the carriage return of another chunk', () => {
    expect(split('data: a\r', '\n\r', '\ndata: b\n\n').events.map(({ raw }) => raw)).toEqual([
      'data: a\r\n\r\n',
      'data: b\n\n',
    ])
  })

  it('has no mark inside the stream', () => {
    expect(split('data: a\n\n\ufeffdata: b\n\n').events[1]).toMatchObject({ data: null })
  })
})

describe('any stream', () => {
  const fields = 'data: x|data|id: 1|event: e|: c|retry: 3|:| |é|\ufeff|😀'.split('|')
  const ends = '\n|\r|\r\n|\n\n|\r\r|\r\n\r\n'.split('|')
  const piece = fc.constantFrom(...fields, ...ends)
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))

  it('means the same however it is cut', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat({ max: 8 }), { maxLength: 80 }), (whole, lengths) => {
        const chunks: string[] = []
        let at = 0
        for (const length of lengths) {
          chunks.push(whole.slice(at, at + length))
          at += length
        }
        expect(split(...chunks, whole.slice(at))).toEqual(split(whole))
      }),
      propertyRuns(2_000),
    )
  })

  it('loses no character', () => {
    fc.assert(
      fc.property(text, (whole) => {
        const { events, leftover } = split(...Array.from(whole))
        expect(events.map(({ raw }) => raw).join('') + leftover).toBe(whole)
        expect(split(whole).leftover).toBe(leftover)
      }),
      propertyRuns(2_000),
    )
  })

  it('costs the same per character in small chunks', () => {
    const stream = createEventStream()
    const start = performance.now()
    stream.feed('data: ')
    for (let chunk = 0; chunk < 500_000; chunk += 1) stream.feed('ab')
    const [event] = stream.feed('\n\n')
    expect(event?.data?.length).toBe(1_000_000)
    expect(performance.now() - start).toBeLessThan(1500)
  })
})
