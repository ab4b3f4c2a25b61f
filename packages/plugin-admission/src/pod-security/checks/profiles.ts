import {
  type Check,
  type CheckedPod,
  containersOf,
  containersWhere,
  distinct,
  exceptWindows,
  named,
  plural,
  quoted,
  setters,
  type Violation,
} from './check.ts'

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'
const confined = (type: string | undefined): boolean => type === 'RuntimeDefault' || type === 'Localhost'
const isAppArmorName = (profile: string): boolean => profile === '' || profile === 'runtime/default' || profile.startsWith('localhost/')

export const appArmorProfile: Check = {
  id: 'appArmorProfile',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      run(pod) {
        const isBad = (profile: { readonly type?: string } | undefined): boolean => profile !== undefined && !confined(profile.type)
        const whole = pod.spec.securityContext?.appArmorProfile
        const bad = containersWhere(pod, (context) => isBad(context?.appArmorProfile))
        const types = [whole, ...containersOf(pod).map(({ securityContext }) => securityContext?.appArmorProfile)]
          .filter(isBad)
          .map((profile) => profile?.type ?? '')
        const annotations = Object.entries(pod.metadata?.annotations ?? {})
          .filter(([key, value]) => key.startsWith(appArmorPrefix) && !isAppArmorName(value))
          .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
          .sort()
        const who = [setters(isBad(whole), bad), annotations.length === 0 ? '' : plural('annotation', 'annotations', annotations.length)]
        const values = [...distinct(types), ...annotations]
        return values.length === 0
          ? undefined
          : {
              reason: plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', values.length),
              detail: `${who.filter((each) => each !== '').join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
            }
      },
    },
  ],
}

const podSeccomp = 'seccomp.security.alpha.kubernetes.io/pod'
const containerSeccomp = 'container.seccomp.security.alpha.kubernetes.io/'
const isSeccompName = (profile: string): boolean =>
  profile === 'runtime/default' || profile === 'docker/default' || profile.startsWith('localhost/')

/** Before Kubernetes 1.19 profiles were annotations. */
function seccompAnnotations(pod: CheckedPod): Violation | undefined {
  const annotations = pod.metadata?.annotations ?? {}
  const bad = distinct(
    [podSeccomp, ...containersOf(pod).map(({ name }) => `${containerSeccomp}${name}`)]
      .filter((key) => annotations[key] !== undefined && !isSeccompName(annotations[key]))
      .map((key) => `${key}=${JSON.stringify(annotations[key])}`),
  )
  return bad.length === 0
    ? undefined
    : { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', 'annotations', bad.length)} ${bad.join(', ')}` }
}

function unconfined(pod: CheckedPod): Violation | undefined {
  const isBad = (profile: { readonly type?: string } | undefined): boolean => profile !== undefined && !confined(profile.type)
  const whole = pod.spec.securityContext?.seccompProfile
  const bad = setters(
    isBad(whole),
    containersWhere(pod, (context) => isBad(context?.seccompProfile)),
  )
  if (bad === '') return undefined
  const types = distinct(
    [whole, ...containersOf(pod).map(({ securityContext }) => securityContext?.seccompProfile)]
      .filter(isBad)
      .map((profile) => profile?.type ?? ''),
  )
  return { reason: 'seccompProfile', detail: `${bad} must not set securityContext.seccompProfile.type to ${quoted(types)}` }
}

export const seccompBaseline: Check = {
  id: 'seccompProfile_baseline',
  level: 'baseline',
  revisions: [
    { since: 0, run: seccompAnnotations },
    { since: 19, run: unconfined },
  ],
}

function unsaid(pod: CheckedPod): Violation | undefined {
  const bad = unconfined(pod)
  if (bad !== undefined) return bad
  if (pod.spec.securityContext?.seccompProfile !== undefined) return undefined
  const silent = containersWhere(pod, (context) => context?.seccompProfile === undefined)
  return silent.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `pod or ${named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      }
}

export const seccompRestricted: Check = {
  id: 'seccompProfile_restricted',
  level: 'restricted',
  overrides: ['seccompProfile_baseline'],
  revisions: [
    { since: 19, run: unsaid },
    { since: 25, run: exceptWindows(unsaid) },
  ],
}

interface SELinux {
  readonly type?: string
  readonly user?: string
  readonly role?: string
}

const ordinaryTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t']

const customised =
  (types: readonly string[]) =>
  (pod: CheckedPod): Violation | undefined => {
    const isBad = (options: SELinux | undefined): boolean =>
      options !== undefined && (!types.includes(options.type ?? '') || Boolean(options.user) || Boolean(options.role))
    const whole: SELinux | undefined = pod.spec.securityContext?.seLinuxOptions
    const bad = setters(
      isBad(whole),
      containersWhere(pod, (context) => isBad(context?.seLinuxOptions)),
    )
    if (bad === '') return undefined
    const all = [whole, ...containersOf(pod).map(({ securityContext }): SELinux | undefined => securityContext?.seLinuxOptions)]
    const badTypes = distinct(all.map((options) => options?.type ?? '').filter((type) => !types.includes(type)))
    const faults = [
      ...(badTypes.length === 0 ? [] : [`${plural('type', 'types', badTypes.length)} ${quoted(badTypes)}`]),
      ...(all.some((options) => Boolean(options?.user)) ? ['user may not be set'] : []),
      ...(all.some((options) => Boolean(options?.role)) ? ['role may not be set'] : []),
    ]
    return { reason: 'seLinuxOptions', detail: `${bad} set forbidden securityContext.seLinuxOptions: ${faults.join('; ')}` }
  }

export const seLinuxOptions: Check = {
  id: 'seLinuxOptions',
  level: 'baseline',
  revisions: [
    { since: 0, run: customised(ordinaryTypes) },
    { since: 31, run: customised([...ordinaryTypes, 'container_engine_t']) },
  ],
}
