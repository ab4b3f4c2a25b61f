import { type FieldError, fieldError } from '@continuo/core'
import type { Level } from './checks/check.ts'

/** A level of the Pod Security Standards as of a minor version of Kubernetes 1. */
export interface Standard {
  readonly level: Level
  readonly version: number | 'latest'
}

export const modes = ['enforce', 'audit', 'warn'] as const
export type Mode = (typeof modes)[number]
export type Policy = Readonly<Record<Mode, Standard>>

export const levels: readonly Level[] = ['privileged', 'baseline', 'restricted']
const prefix = 'pod-security.kubernetes.io/'
const versionSyntax = /^v1\.(0|[1-9]\d*)$/

type Labels = Readonly<Record<string, string>> | undefined

export const levelLabel = (mode: Mode): string => `${prefix}${mode}`
export const versionLabel = (mode: Mode): string => `${prefix}${mode}-version`

/** `restricted:latest`, `baseline:v1.25`. */
export const formatStandard = ({ level, version }: Standard): string => `${level}:${version === 'latest' ? version : `v1.${version}`}`

export const sameStandard = (a: Standard, b: Standard): boolean => a.level === b.level && a.version === b.version
export const isFullyPrivileged = (policy: Policy): boolean => modes.every((mode) => policy[mode].level === 'privileged')
/** Above zero when `a` is the stricter one. */
export const compareLevels = (a: Level, b: Level): number => levels.indexOf(a) - levels.indexOf(b)

/** The version that a label or an option names; `undefined` when it is none. */
export function parseVersion(text: string): number | 'latest' | undefined {
  if (text === 'latest') return text
  const match = versionSyntax.exec(text)
  return match === null ? undefined : Number(match[1])
}

/**
 * What the labels of a namespace ask for, over the defaults, with what is wrong in them. There always is a policy: what cannot be read is
 * enforced as the newest restricted standard, and neither audited nor warned about. A stricter enforced level is warned about too.
 */
export function policyOf(labels: Labels, defaults: Policy): { readonly policy: Policy; readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = []
  const policy: Record<Mode, Standard> = { ...defaults }
  if (labels === undefined) return { policy, errors }
  const valid = new Set<string>()
  for (const mode of modes) {
    const level = labels[levelLabel(mode)]
    if (level !== undefined) {
      if (levels.includes(level as Level)) valid.add(mode)
      else errors.push(fieldError.invalid(`metadata.labels[${levelLabel(mode)}]`, level, `must be one of ${levels.join(', ')}`))
      policy[mode] = { ...policy[mode], level: valid.has(mode) ? (level as Level) : mode === 'enforce' ? 'restricted' : 'privileged' }
    }
    const version = labels[versionLabel(mode)]
    if (version !== undefined) {
      const parsed = parseVersion(version)
      if (parsed === undefined)
        errors.push(fieldError.invalid(`metadata.labels[${versionLabel(mode)}]`, version, 'must be "latest" or "v1.x"'))
      policy[mode] = { ...policy[mode], version: parsed ?? 'latest' }
    }
  }
  const { enforce, warn } = policy
  if (valid.has('enforce') && labels[levelLabel('warn')] === undefined && compareLevels(enforce.level, warn.level) > 0)
    policy.warn = { level: enforce.level, version: labels[versionLabel('warn')] === undefined ? enforce.version : warn.version }
  return { policy, errors }
}
