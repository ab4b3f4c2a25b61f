import { parseTime } from '../clock/clock.ts'
import type { DeepReadonly, KubeObject } from '../objects/object.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const year = 365 * day

const withRest = (whole: number, unit: string, rest: number, restUnit: string): string =>
  rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`

/** A duration as tables show it: two units at most, `119s`, `3m20s`, `26h`, `2d3h`, `40d`. */
export function humanDuration(ms: number): string {
  if (ms < -2 * second) return '<invalid>'
  if (ms < 0) return '0s'
  if (ms < 2 * minute) return `${Math.floor(ms / second)}s`
  const minutes = Math.floor(ms / minute)
  if (minutes < 10) return withRest(minutes, 'm', Math.floor(ms / second) % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(ms / hour)
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  if (hours < 192) return withRest(Math.floor(hours / 24), 'd', hours % 24, 'h')
  if (ms < 2 * year) return `${Math.floor(ms / day)}d`
  if (ms < 8 * year) return withRest(Math.floor(ms / year), 'y', Math.floor(ms / day) % 365, 'd')
  return `${Math.floor(ms / year)}y`
}

/** Time since a moment, for tables; `<unknown>` where there is none. */
export function since(moment: string | undefined, now: number): string {
  const at = moment === undefined ? Number.NaN : parseTime(moment)
  return Number.isNaN(at) ? '<unknown>' : humanDuration(now - at)
}

export const age = (object: DeepReadonly<KubeObject>, now: number): string => since(object.metadata.creationTimestamp, now)
