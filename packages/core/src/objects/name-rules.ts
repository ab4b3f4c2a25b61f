const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const dns1123Label = new RegExp(`^${label}$`)
const dns1123Subdomain = new RegExp(`^${label}(\\.${label})*$`)
const dns1035Label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/

const tooLong = (max: number): string => `must be no more than ${max} bytes`

/** A prefix may end with a dash: what `generateName` is checked against. */
const maskTrailingDash = (name: string, isPrefix: boolean): string =>
  isPrefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name

/** What is wrong with a name that must be a DNS-1123 label (RFC 1123): names of namespaces. An empty list means nothing. */
export function dnsLabelFaults(name: string, isPrefix = false): string[] {
  const faults: string[] = []
  if (name.length > 63) faults.push(tooLong(63))
  if (!dns1123Label.test(maskTrailingDash(name, isPrefix))) {
    faults.push(
      `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
    )
  }
  return faults
}

/** What is wrong with a name that must be a DNS-1123 subdomain: the names of most objects. */
export function dnsSubdomainFaults(name: string, isPrefix = false): string[] {
  const faults: string[] = []
  if (name.length > 253) faults.push(tooLong(253))
  if (!dns1123Subdomain.test(maskTrailingDash(name, isPrefix))) {
    faults.push(
      `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    )
  }
  return faults
}

/** What is wrong with a name that must be a DNS-1035 label: it begins with a letter. */
export function dns1035LabelFaults(name: string, isPrefix = false): string[] {
  const faults: string[] = []
  if (name.length > 63) faults.push(tooLong(63))
  if (!dns1035Label.test(maskTrailingDash(name, isPrefix))) {
    faults.push(
      `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
    )
  }
  return faults
}

/** What is wrong with a name as one segment of a path: the loosest rule, which every name must satisfy. */
export function pathSegmentFaults(name: string, isPrefix = false): string[] {
  const faults: string[] = []
  if (!isPrefix && (name === '.' || name === '..')) faults.push(`may not be '${name}'`)
  for (const illegal of ['/', '%']) if (name.includes(illegal)) faults.push(`may not contain '${illegal}'`)
  if (name.includes('\0')) faults.push('may not contain a NUL character')
  if (!name.isWellFormed()) faults.push('must be well-formed Unicode')
  return faults
}
