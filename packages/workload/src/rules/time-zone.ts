/** Parts of a name of the time zone database. */
const part = /^(?!-)[A-Za-z._\-0-9+]{1,14}$/

/** What is wrong with the name of a time zone; undefined when nothing is. The zone of this very machine is no name. */
export function timeZoneFault(name: string): string | undefined {
  if (name === '') return 'timeZone must be nil or non-empty string'
  if (name.toLowerCase() === 'local') return 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'
  const known = name.split('/').every((one) => one !== '.' && one !== '..' && part.test(one)) && isKnown(name)
  return known ? undefined : `unknown time zone ${name}`
}

function isKnown(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).format(0) !== ''
  } catch {
    return false
  }
}
