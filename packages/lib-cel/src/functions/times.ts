import { CelEvaluationError } from '../cel-error.ts'
import type { Duration, Timestamp } from '../values/value.ts'
import { method, type Overload } from './overload.ts'

/** The parts of a moment as a clock on the wall of a zone shows them, as if it were UTC. */
function wallClock({ nanos }: Timestamp, zone: string): Date {
  const millis = Number((nanos - (((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n)
  const offset = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone)
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3])
    return new Date(millis + (offset[1] === '-' ? -minutes : minutes) * 60_000)
  }
  if (zone === 'UTC' || zone === '') return new Date(millis)
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone, hourCycle: 'h23', era: 'short',
      year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
    }).formatToParts(millis) // biome-ignore format: two kinds of option
    const part = (type: string): number => Number(parts.find((candidate) => candidate.type === type)?.value)
    const wall = new Date(0)
    wall.setUTCFullYear(part('year'), part('month') - 1, part('day'))
    wall.setUTCHours(part('hour'), part('minute'), part('second'), new Date(millis).getUTCMilliseconds())
    return wall
  } catch (cause) {
    throw new CelEvaluationError(`unknown time zone ${JSON.stringify(zone)}: ${(cause as Error).message}`)
  }
}

const dayOfYear = (date: Date): number => {
  const first = new Date(0)
  first.setUTCFullYear(date.getUTCFullYear(), 0, 1)
  return Math.floor((date.getTime() - first.getTime()) / 86_400_000)
}

const getters: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
}

const durationUnits: Readonly<Record<string, bigint>> = {
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
  getMilliseconds: 1_000_000n,
}

export const times: readonly Overload[] = [
  ...Object.entries(getters).flatMap(([name, get]) => [
    method('timestamp', `${name}(): int`, (moment: Timestamp) => BigInt(get(wallClock(moment, 'UTC')))),
    method('timestamp', `${name}(string): int`, (moment: Timestamp, zone: string) => BigInt(get(wallClock(moment, zone)))),
  ]),
  ...Object.entries(durationUnits).map(([name, unit]) => method('duration', `${name}(): int`, (length: Duration) => length.nanos / unit)),
]
