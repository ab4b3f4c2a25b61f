import type { Check, CheckedPod, Violation } from './checks/check.ts'
import { hostNamespaces, hostPorts, hostProbesAndHostLifecycle, windowsHostProcess } from './checks/host.ts'
import { procMount, procMountRestricted, sysctls } from './checks/kernel.ts'
import {
  allowPrivilegeEscalation,
  capabilitiesBaseline,
  capabilitiesRestricted,
  privileged,
  runAsNonRoot,
  runAsUser,
} from './checks/privileges.ts'
import { appArmorProfile, seccompBaseline, seccompRestricted, seLinuxOptions } from './checks/profiles.ts'
import { hostPathVolumes, restrictedVolumes } from './checks/volumes.ts'
import type { Standard } from './policy.ts'

/** Every check, in the order in which violations are named: those of the baseline first. */
export const checks: readonly Check[] = [
  appArmorProfile,
  capabilitiesBaseline,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbesAndHostLifecycle,
  privileged,
  procMount,
  seLinuxOptions,
  seccompBaseline,
  sysctls,
  windowsHostProcess,
  allowPrivilegeEscalation,
  capabilitiesRestricted,
  procMountRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompRestricted,
]

/** What of a pod a standard forbids. Pure. */
export function evaluate({ level, version }: Standard, pod: CheckedPod): readonly Violation[] {
  if (level === 'privileged') return []
  const current = checks.flatMap((check) => {
    const revision = check.revisions.findLast(({ since }) => version === 'latest' || since <= version)
    return revision === undefined || (check.level === 'restricted' && level === 'baseline') ? [] : [{ check, revision }]
  })
  const overridden = new Set(current.flatMap(({ check }) => check.overrides ?? []))
  return current.flatMap(({ check, revision }) => (overridden.has(check.id) ? [] : (revision.run(pod) ?? [])))
}

/** `privileged (container "x" must not …), hostPort (…)`. */
export const inDetail = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ')

export const inShort = (violations: readonly Violation[]): string => violations.map(({ reason }) => reason).join(', ')
