import {
  type Check,
  type CheckedPod,
  containersOf,
  containersWhere,
  distinct,
  exceptUserNamespaces,
  exceptWindows,
  named,
  quoted,
  setters,
  type Violation,
} from './check.ts'

export const privileged: Check = {
  id: 'privileged',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      run(pod) {
        const bad = containersWhere(pod, (context) => context?.privileged === true)
        return bad.length === 0 ? undefined : { reason: 'privileged', detail: `${named(bad)} must not set securityContext.privileged=true` }
      },
    },
  ],
}

function escalation(pod: CheckedPod): Violation | undefined {
  const bad = containersWhere(pod, (context) => context?.allowPrivilegeEscalation !== false)
  return bad.length === 0
    ? undefined
    : { reason: 'allowPrivilegeEscalation != false', detail: `${named(bad)} must set securityContext.allowPrivilegeEscalation=false` }
}

export const allowPrivilegeEscalation: Check = {
  id: 'allowPrivilegeEscalation',
  level: 'restricted',
  revisions: [
    { since: 8, run: escalation },
    { since: 25, run: exceptWindows(escalation) },
  ],
}

const ordinary = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

/** Containers that add capabilities which are not allowed, in a sentence. */
function addedBeyond(pod: CheckedPod, allowed: (capability: string) => boolean): string | undefined {
  const beyond = (added: readonly string[] | undefined): readonly string[] => (added ?? []).filter((capability) => !allowed(capability))
  const bad = containersWhere(pod, (context) => beyond(context?.capabilities?.add).length > 0)
  if (bad.length === 0) return undefined
  const capabilities = distinct(containersOf(pod).flatMap(({ securityContext }) => beyond(securityContext?.capabilities?.add)))
  return `${named(bad)} must not include ${quoted(capabilities)} in securityContext.capabilities.add`
}

export const capabilitiesBaseline: Check = {
  id: 'capabilities_baseline',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      run(pod) {
        const detail = addedBeyond(pod, (capability) => ordinary.has(capability))
        return detail === undefined ? undefined : { reason: 'non-default capabilities', detail }
      },
    },
  ],
}

function unrestricted(pod: CheckedPod): Violation | undefined {
  const keeping = containersWhere(pod, (context) => context?.capabilities?.drop?.includes('ALL') !== true)
  const details = [
    keeping.length === 0 ? undefined : `${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`,
    addedBeyond(pod, (capability) => capability === 'NET_BIND_SERVICE'),
  ].filter((detail) => detail !== undefined)
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

export const capabilitiesRestricted: Check = {
  id: 'capabilities_restricted',
  level: 'restricted',
  overrides: ['capabilities_baseline'],
  revisions: [
    { since: 22, run: unrestricted },
    { since: 25, run: exceptWindows(unrestricted) },
  ],
}

function maybeRoot(pod: CheckedPod): Violation | undefined {
  const reason = 'runAsNonRoot != true'
  const whole = pod.spec.securityContext?.runAsNonRoot
  const bad = setters(
    whole === false,
    containersWhere(pod, (context) => context?.runAsNonRoot === false),
  )
  if (bad !== '') return { reason, detail: `${bad} must not set securityContext.runAsNonRoot=false` }
  const silent = whole === true ? [] : containersWhere(pod, (context) => context?.runAsNonRoot === undefined)
  return silent.length === 0 ? undefined : { reason, detail: `pod or ${named(silent)} must set securityContext.runAsNonRoot=true` }
}

export const runAsNonRoot: Check = {
  id: 'runAsNonRoot',
  level: 'restricted',
  revisions: [
    { since: 0, run: maybeRoot },
    { since: 35, run: exceptUserNamespaces(maybeRoot) },
  ],
}

function rootByNumber(pod: CheckedPod): Violation | undefined {
  const bad = setters(
    pod.spec.securityContext?.runAsUser === 0,
    containersWhere(pod, (context) => context?.runAsUser === 0),
  )
  return bad === '' ? undefined : { reason: 'runAsUser=0', detail: `${bad} must not set runAsUser=0` }
}

export const runAsUser: Check = {
  id: 'runAsUser',
  level: 'restricted',
  revisions: [
    { since: 23, run: rootByNumber },
    { since: 35, run: exceptUserNamespaces(rootByNumber) },
  ],
}
