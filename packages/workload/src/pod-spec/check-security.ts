import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { AppArmorProfile, PodSecurityContext, SeccompProfile, SecurityContext } from '../generated/types/core-v1.ts'
import { each } from '../rules/each.ts'
import { checkOneOf } from '../rules/values.ts'

const maxId = 2_147_483_647
const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/
const maxSysctlLength = 253

/** The security of a whole pod. */
export function checkPodSecurity(context: DeepReadonly<PodSecurityContext> | undefined, path: string, errors: FieldError[]): void {
  if (context === undefined) return
  checkIds(context, path, errors)
  checkId(context.fsGroup, `${path}.fsGroup`, errors)
  each(context.supplementalGroups, `${path}.supplementalGroups`, (id, at) => checkId(id, at, errors))
  checkOneOf(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${path}.fsGroupChangePolicy`, errors, false)
  checkOneOf(context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${path}.supplementalGroupsPolicy`, errors, false)
  checkProfiles(context, path, errors)
  const names = new Set<string>()
  each(context.sysctls, `${path}.sysctls`, ({ name }, at) => {
    if (!name) errors.push(fieldError.required(`${at}.name`))
    else if (name.length > maxSysctlLength || !sysctlName.test(name))
      errors.push(
        fieldError.invalid(`${at}.name`, name, `must have at most ${maxSysctlLength} characters and match regex ${sysctlName.source}`),
      )
    else if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name))
    names.add(name)
  })
}

/** The security of one container. */
export function checkContainerSecurity(context: DeepReadonly<SecurityContext> | undefined, path: string, errors: FieldError[]): void {
  if (context === undefined) return
  checkIds(context, path, errors)
  checkProfiles(context, path, errors)
  checkOneOf(context.procMount, ['Default', 'Unmasked'], `${path}.procMount`, errors, false)
  if (context.allowPrivilegeEscalation !== false) return
  if (context.privileged === true)
    errors.push(fieldError.invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'))
  if (context.capabilities?.add?.includes('CAP_SYS_ADMIN'))
    errors.push(fieldError.invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'))
}

function checkIds(
  { runAsUser, runAsGroup }: { readonly runAsUser?: number; readonly runAsGroup?: number },
  path: string,
  errors: FieldError[],
): void {
  checkId(runAsUser, `${path}.runAsUser`, errors)
  checkId(runAsGroup, `${path}.runAsGroup`, errors)
}

function checkId(id: number | undefined, path: string, errors: FieldError[]): void {
  if (id !== undefined && (id < 0 || id > maxId)) errors.push(fieldError.invalid(path, id, `must be between 0 and ${maxId}, inclusive`))
}

interface Profiles {
  readonly seccompProfile?: SeccompProfile
  readonly appArmorProfile?: AppArmorProfile
}

/** Profiles of both kinds are named by a type, and by a name of their own where that is `Localhost`. */
function checkProfiles(context: DeepReadonly<Profiles>, path: string, errors: FieldError[]): void {
  for (const [field, kind] of [
    ['seccompProfile', 'seccomp'],
    ['appArmorProfile', 'AppArmor'],
  ] as const) {
    const profile = context[field]
    if (profile === undefined) continue
    const at = `${path}.${field}`
    checkOneOf(profile.type, ['Localhost', 'RuntimeDefault', 'Unconfined'], `${at}.type`, errors)
    if (profile.type === 'Localhost') {
      if (!profile.localhostProfile)
        errors.push(fieldError.required(`${at}.localhostProfile`, `must be set when ${kind} type is Localhost`))
    } else if (profile.localhostProfile !== undefined)
      errors.push(fieldError.invalid(`${at}.localhostProfile`, profile.localhostProfile, `can only be set when ${kind} type is Localhost`))
  }
}
