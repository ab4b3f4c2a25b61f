import { dns1035LabelFaults, dnsLabelFaults, dnsSubdomainFaults, type FieldError, fieldError, labelKeyFaults } from '@continuo/core'

/** What is wrong with a name; an empty list means nothing. */
export type NameRule = (name: string) => readonly string[]

export const isDnsLabel: NameRule = (name) => dnsLabelFaults(name)
export const isDnsSubdomain: NameRule = (name) => dnsSubdomainFaults(name)
export const isDns1035Label: NameRule = (name) => dns1035LabelFaults(name)
export const isQualifiedName: NameRule = labelKeyFaults

/** The name of a port: an IANA service name (RFC 6335, section 5.1). */
export const isPortName: NameRule = (name) => {
  const faults: string[] = []
  if (name.length > 15) faults.push('must be no more than 15 characters')
  if (!/^[-a-z0-9]+$/.test(name)) faults.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(name)) faults.push('must contain at least one letter (a-z)')
  if (name.includes('--')) faults.push('must not contain consecutive hyphens')
  if (name.startsWith('-') || name.endsWith('-')) faults.push('must not begin or end with a hyphen')
  return faults
}

/** The name of an environment variable (the relaxed rule of Kubernetes 1.34). */
export const isEnvironmentName: NameRule = (name) =>
  /^[ -<>-~]+$/.test(name) ? [] : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]

/** A key of a config map or secret, which becomes a file's name. */
export const isConfigKey: NameRule = (name) => {
  const faults: string[] = []
  if (name.length > 253) faults.push('must be no more than 253 characters')
  if (!/^[-._a-zA-Z0-9]+$/.test(name))
    faults.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    )
  if (name === '.') faults.push("must not be '.'")
  else if (name === '..') faults.push("must not be '..'")
  else if (name.startsWith('..')) faults.push("must not start with '..'")
  return faults
}

/** Adds what `rule` finds wrong with the name. */
export function checkName(rule: NameRule, name: string, path: string, errors: FieldError[]): void {
  for (const fault of rule(name)) errors.push(fieldError.invalid(path, name, fault))
}

/** {@link checkName}, after making sure that there is a name. */
export function checkRequiredName(rule: NameRule, name: string | undefined, path: string, errors: FieldError[]): void {
  if (name === undefined || name === '') errors.push(fieldError.required(path))
  else checkName(rule, name, path, errors)
}
