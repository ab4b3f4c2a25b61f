import { describe, expect, test } from 'vitest'
import { isAlive, parseProcessStat, readBootId, readProcessStat } from '../src/process-identity.ts'

const stat = (name: string, state = 'S', start = 5000) =>
  `42 (${name}) ${state} 7 42 42 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 1 0 ${start} 1000000 250 18446744073709551615 1`

describe('a process', () => {
  test.for(['sh', 'a) b', '((', ') S 1 1'])('is read whatever its name: %s', (name) => {
    expect(parseProcessStat(stat(name))).toEqual({ state: 'S', parent: 7, ticks: 100, start: 5000, residentPages: 250 })
  })

  test('is the same only with the same boot and the same start time, and while it is not a zombie', () => {
    const identity = { boot: 'b', pid: 42, start: 5000 }
    const alive = (text: string | undefined, boot = 'b') =>
      isAlive(identity, boot, () => (text === undefined ? undefined : parseProcessStat(text)))
    expect(alive(stat('sh'))).toBe(true)
    expect(alive(stat('sh', 'S', 5001))).toBe(false)
    expect(alive(stat('sh', 'Z'))).toBe(false)
    expect(alive(stat('sh'), 'other')).toBe(false)
    expect(alive(undefined)).toBe(false)
  })

  test('that runs here is alive', () => {
    const boot = readBootId()
    expect(isAlive({ boot, pid: process.pid, start: readProcessStat(process.pid)?.start ?? 0 }, boot)).toBe(true)
  })
})
