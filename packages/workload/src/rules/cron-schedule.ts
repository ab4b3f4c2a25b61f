import { parseDuration } from '@continuo/lib-quantity'

interface Bounds {
  readonly min: number
  readonly max: number
  readonly names: readonly string[]
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const plain = (min: number, max: number): Bounds => ({ min, max, names: [] })
/** Minute, hour, day of the month, month, day of the week. */
const fields: readonly Bounds[] = [
  plain(0, 59),
  plain(0, 23),
  plain(1, 31),
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: days },
]
const descriptors = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']

/** What is wrong with a cron schedule (the standard form of github.com/robfig/cron, as Kubernetes reads it); undefined when nothing is. */
export function scheduleFault(schedule: string): string | undefined {
  if (schedule.startsWith('@')) return descriptorFault(schedule)
  const parts = schedule.split(/\s+/).filter((part) => part !== '')
  if (parts.length !== fields.length) return `expected exactly ${fields.length} fields, found ${parts.length}: [${parts.join(' ')}]`
  for (const [index, part] of parts.entries())
    for (const range of part.split(',').filter((one) => one !== '')) {
      const fault = rangeFault(range, fields[index] as Bounds)
      if (fault !== undefined) return fault
    }
  return undefined
}

const every = '@every '

function descriptorFault(text: string): string | undefined {
  if (descriptors.includes(text)) return undefined
  if (!text.startsWith(every)) return `unrecognized descriptor: ${text}`
  try {
    parseDuration(text.slice(every.length))
    return undefined
  } catch {
    return `failed to parse duration ${text}`
  }
}

/** `*`, `5`, `1-5`, each with `/2` behind it. */
function rangeFault(range: string, bounds: Bounds): string | undefined {
  const [span = '', step, ...more] = range.split('/')
  if (more.length > 0) return `too many slashes: ${range}`
  const [low = '', high, ...others] = span.split('-')
  if (others.length > 0) return `too many hyphens: ${range}`
  const isAny = low === '*' || low === '?'
  const begin = isAny ? bounds.min : numberOf(low, bounds)
  const end = isAny ? bounds.max : high === undefined ? (step === undefined ? begin : bounds.max) : numberOf(high, bounds)
  for (const [text, value] of [
    [low, begin],
    [high, end],
  ] as const)
    if (value === undefined) return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
  if (step !== undefined && !/^\d+$/.test(step))
    return `failed to parse int from ${step}: strconv.Atoi: parsing ${JSON.stringify(step)}: invalid syntax`
  return (
    spanFault(begin as number, end as number, bounds, range) ??
    (Number(step ?? 1) === 0 ? `step of range should be a positive number: ${range}` : undefined)
  )
}

function spanFault(begin: number, end: number, { min, max }: Bounds, range: string): string | undefined {
  if (begin < min) return `beginning of range (${begin}) below minimum (${min}): ${range}`
  if (end > max) return `end of range (${end}) above maximum (${max}): ${range}`
  return begin > end ? `beginning of range (${begin}) beyond end of range (${end}): ${range}` : undefined
}

function numberOf(text: string, { min, names }: Bounds): number | undefined {
  const named = names.indexOf(text.toLowerCase())
  if (named >= 0) return named + min
  return /^\d+$/.test(text) ? Number(text) : undefined
}
