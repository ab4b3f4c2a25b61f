import { isIP, isIPv4, isIPv6 } from 'node:net'

const hex = (pattern: string): RegExp => new RegExp(`^${pattern}$`, 'i')
const uuid = (version: string, variant: string): RegExp =>
  hex(`[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}`)

const daysIn = (year: number, month: number): number =>
  [31, (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0

function isDate(text: string): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (parts === null) return false
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number]
  return day >= 1 && day <= daysIn(year, month)
}

function isDateTime(text: string): boolean {
  const parts = /^(\d{4}-\d{2}-\d{2})[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):?[0-5]\d)$/.exec(text)
  return parts !== null && isDate(parts[1] as string)
}

function isCidr(text: string): boolean {
  const slash = text.lastIndexOf('/')
  if (slash < 0 || !/^\d{1,3}$/.test(text.slice(slash + 1))) return false
  const family = isIP(text.slice(0, slash))
  return family !== 0 && Number(text.slice(slash + 1)) <= (family === 4 ? 32 : 128)
}

function isUri(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(text) ? URL.canParse(text) : text.startsWith('/')
}

const hostname = /^(?=.{1,253}\.?$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const duration =
  /^([+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$|^[+-]?0$|^\d+ ?(ns|us|ms|s|sec|second|m|min|minute|h|hr|hour|d|day|w|week)s?$/

const checks: Readonly<Record<string, (text: string) => boolean>> = {
  byte: (text) => base64.test(text),
  date: isDate,
  'date-time': isDateTime,
  datetime: isDateTime,
  duration: (text) => text.length <= 256 && duration.test(text),
  email: (text) => text.length <= 320 && /^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+$/.test(text),
  hostname: (text) => hostname.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: (text) => /^([0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\2){4}[0-9a-f]{2}$|^([0-9a-f]{4}\.){2}[0-9a-f]{4}$/i.test(text),
  uri: isUri,
  uuid: (text) => uuid('[0-9a-f]', '[0-9a-f]').test(text),
  uuid3: (text) => uuid('3', '[0-9a-f]').test(text),
  uuid4: (text) => uuid('4', '[89ab]').test(text),
  uuid5: (text) => uuid('5', '[89ab]').test(text),
  bsonobjectid: (text) => hex('[0-9a-f]{24}').test(text),
  hexcolor: (text) => hex('#?([0-9a-f]{3}|[0-9a-f]{6})').test(text),
}

/** Whether a string has the named format. Formats that Kubernetes does not know accept everything, as there. */
export const hasStringFormat = (format: string, text: string): boolean =>
  !Object.hasOwn(checks, format) || (checks[format] as (text: string) => boolean)(text)
