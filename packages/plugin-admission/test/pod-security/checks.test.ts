import type { PodSpec } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import type { CheckedPod } from '../../src/pod-security/checks/check.ts'
import { checks, evaluate, inDetail } from '../../src/pod-security/evaluate.ts'
import type { Standard } from '../../src/pod-security/policy.ts'

type Context = NonNullable<PodSpec['containers'][number]['securityContext']>

const safe: Context = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}
/** A pod that every check lets through, with these changes. */
const pod = (spec: Partial<PodSpec> = {}, annotations: Record<string, string> = {}): CheckedPod => ({
  metadata: { annotations },
  spec: { containers: [{ name: 'a', image: 'x', securityContext: safe }], ...spec },
})
const contained = (context: Partial<Context>, spec: Partial<PodSpec> = {}): CheckedPod =>
  pod({ containers: [{ name: 'a', image: 'x', securityContext: { ...safe, ...context } }], ...spec })
const container = (name: string, more: object = {}) => ({ name, image: 'x', securityContext: safe, ...more })

interface Case {
  readonly id: string
  readonly since?: number
  readonly passes: readonly CheckedPod[]
  readonly fails: readonly (readonly [CheckedPod, string])[]
}

const latest = 36

const cases: readonly Case[] = [
  {
    id: 'appArmorProfile',
    passes: [
      pod({ securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }),
      contained({ appArmorProfile: { type: 'Localhost', localhostProfile: 'p' } }),
      pod({}, { 'container.apparmor.security.beta.kubernetes.io/a': 'localhost/p' }),
      pod({}, { 'container.apparmor.security.beta.kubernetes.io/a': 'runtime/default' }),
    ],
    fails: [
      [
        pod({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }),
        'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
      ],
      [
        contained({ appArmorProfile: { type: 'Unconfined' } }),
        'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")',
      ],
      [
        pod({}, { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' }),
        'forbidden AppArmor profile (annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/a="unconfined"")',
      ],
    ],
  },
  {
    id: 'capabilities_baseline',
    passes: [contained({ capabilities: { add: ['CHOWN', 'NET_BIND_SERVICE'] } }), pod()],
    fails: [
      [
        contained({ capabilities: { add: ['NET_RAW', 'CHOWN', 'BPF'] } }),
        'non-default capabilities (container "a" must not include "BPF", "NET_RAW" in securityContext.capabilities.add)',
      ],
    ],
  },
  {
    id: 'hostNamespaces',
    passes: [pod({ hostNetwork: false })],
    fails: [
      [pod({ hostNetwork: true }), 'host namespaces (hostNetwork=true)'],
      [pod({ hostNetwork: true, hostPID: true, hostIPC: true }), 'host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)'],
    ],
  },
  {
    id: 'hostPathVolumes',
    passes: [pod({ volumes: [{ name: 'v', emptyDir: {} }] })],
    fails: [
      [pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }), 'hostPath volumes (volume "v")'],
      [
        pod({
          volumes: [
            { name: 'v', hostPath: { path: '/' } },
            { name: 'w', hostPath: { path: '/' } },
          ],
        }),
        'hostPath volumes (volumes "v", "w")',
      ],
    ],
  },
  {
    id: 'hostPorts',
    passes: [pod({ containers: [container('a', { ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }] })] })],
    fails: [
      [
        pod({ containers: [container('a', { ports: [{ containerPort: 80, hostPort: 8080 }] })] }),
        'hostPort (container "a" uses hostPort 8080)',
      ],
      [
        pod({
          containers: [container('a', { ports: [{ containerPort: 80, hostPort: 8080 }] })],
          initContainers: [container('i', { ports: [{ containerPort: 80, hostPort: 90 }] })],
        }),
        'hostPort (containers "i", "a" use hostPorts 8080, 90)',
      ],
    ],
  },
  {
    id: 'hostProbesAndHostLifecycle',
    since: 34,
    passes: [pod({ containers: [container('a', { livenessProbe: { httpGet: { port: 80 } } })] })],
    fails: [
      [
        pod({ containers: [container('a', { livenessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } })] }),
        'probe or lifecycle host (container "a" uses probe or lifecycle host "10.0.0.1")',
      ],
      [
        pod({ containers: [container('a', { lifecycle: { preStop: { tcpSocket: { port: 80, host: 'h' } } } })] }),
        'probe or lifecycle host (container "a" uses probe or lifecycle host "h")',
      ],
    ],
  },
  {
    id: 'privileged',
    passes: [contained({ privileged: false })],
    fails: [
      [contained({ privileged: true }), 'privileged (container "a" must not set securityContext.privileged=true)'],
      [
        pod({
          ephemeralContainers: [{ name: 'e', image: 'x', securityContext: { ...safe, privileged: true } }],
          initContainers: [container('i', { securityContext: { ...safe, privileged: true } })],
        }),
        'privileged (containers "i", "e" must not set securityContext.privileged=true)',
      ],
    ],
  },
  {
    id: 'procMount',
    passes: [contained({ procMount: 'Default' }), contained({ procMount: 'Unmasked' }, { hostUsers: false })],
    fails: [[contained({ procMount: 'Unmasked' }), 'procMount (container "a" must not set securityContext.procMount to "Unmasked")']],
  },
  {
    id: 'procMount_restricted',
    since: 35,
    passes: [contained({ procMount: 'Default' })],
    fails: [
      [
        contained({ procMount: 'Unmasked' }, { hostUsers: false }),
        'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
      ],
    ],
  },
  {
    id: 'seLinuxOptions',
    passes: [contained({ seLinuxOptions: { type: 'container_engine_t', level: 's0' } }), pod({ securityContext: { seLinuxOptions: {} } })],
    fails: [
      [
        contained({ seLinuxOptions: { type: 'spc_t', user: 'u' } }, { securityContext: { seLinuxOptions: { type: 'a_t', role: 'r' } } }),
        'seLinuxOptions (pod and container "a" set forbidden securityContext.seLinuxOptions: types "a_t", "spc_t"; user may not be set; role may not be set)',
      ],
    ],
  },
  {
    id: 'seccompProfile_baseline',
    passes: [pod({ securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'p' } } })],
    fails: [
      [
        contained({ seccompProfile: { type: 'Unconfined' } }),
        'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
      ],
      [
        contained({ seccompProfile: { type: 'Unconfined' } }, { securityContext: { seccompProfile: { type: 'Unconfined' } } }),
        'seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
      ],
    ],
  },
  {
    id: 'sysctls',
    passes: [
      pod({
        securityContext: {
          sysctls: ['net.ipv4.tcp_rmem', 'net.ipv4.ip_local_reserved_ports', 'kernel.shm_rmid_forced'].map((name) => ({
            name,
            value: '1',
          })),
        },
      }),
    ],
    fails: [
      [
        pod({
          securityContext: {
            sysctls: [
              { name: 'a', value: '1' },
              { name: 'net.ipv4.tcp_syncookies', value: '1' },
              { name: 'b', value: '1' },
            ],
          },
        }),
        'forbidden sysctls (a, b)',
      ],
    ],
  },
  {
    id: 'windowsHostProcess',
    passes: [contained({ windowsOptions: { hostProcess: false } })],
    fails: [
      [
        contained({ windowsOptions: { hostProcess: true } }, { securityContext: { windowsOptions: { hostProcess: true } } }),
        'hostProcess (pod and container "a" must not set securityContext.windowsOptions.hostProcess=true)',
      ],
    ],
  },
  {
    id: 'allowPrivilegeEscalation',
    since: 8,
    passes: [pod(), contained({ allowPrivilegeEscalation: true }, { os: { name: 'windows' } })],
    fails: [
      [
        contained({ allowPrivilegeEscalation: true }),
        'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
      ],
      [
        pod({ containers: [container('a', { securityContext: { ...safe, allowPrivilegeEscalation: undefined } }), container('b')] }),
        'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
      ],
    ],
  },
  {
    id: 'capabilities_restricted',
    since: 22,
    passes: [
      contained({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }),
      contained({ capabilities: {} }, { os: { name: 'windows' } }),
    ],
    fails: [
      [
        contained({ capabilities: { drop: ['CHOWN'], add: ['CHOWN'] } }),
        'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "CHOWN" in securityContext.capabilities.add)',
      ],
    ],
  },
  {
    id: 'restrictedVolumes',
    passes: [
      pod({
        volumes: [
          { name: 'a', configMap: { name: 'c' } },
          { name: 'b', csi: { driver: 'd' } },
          { name: 'c', image: { reference: 'r' } },
          { name: 'd', persistentVolumeClaim: { claimName: 'c' } },
        ],
      }),
    ],
    fails: [
      [
        pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
        'restricted volume types (volume "v" uses restricted volume type "hostPath")',
      ],
      [
        pod({
          volumes: [
            { name: 'v', hostPath: { path: '/' } },
            { name: 'n', nfs: { server: 's', path: '/' } },
          ],
        }),
        'restricted volume types (volumes "v", "n" use restricted volume types "hostPath", "nfs")',
      ],
    ],
  },
  {
    id: 'runAsNonRoot',
    passes: [
      contained({ runAsNonRoot: undefined }, { securityContext: { runAsNonRoot: true } }),
      contained({ runAsNonRoot: false }, { hostUsers: false }),
    ],
    fails: [
      [contained({ runAsNonRoot: undefined }), 'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)'],
      [contained({ runAsNonRoot: false }), 'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)'],
      [
        contained({ runAsNonRoot: false }, { securityContext: { runAsNonRoot: false } }),
        'runAsNonRoot != true (pod and container "a" must not set securityContext.runAsNonRoot=false)',
      ],
    ],
  },
  {
    id: 'runAsUser',
    since: 23,
    passes: [contained({ runAsUser: 1000 }), contained({ runAsUser: 0 }, { hostUsers: false })],
    fails: [
      [contained({ runAsUser: 0 }, { securityContext: { runAsUser: 0 } }), 'runAsUser=0 (pod and container "a" must not set runAsUser=0)'],
    ],
  },
  {
    id: 'seccompProfile_restricted',
    since: 19,
    passes: [
      contained({ seccompProfile: undefined }, { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }),
      contained({ seccompProfile: undefined }, { os: { name: 'windows' } }),
    ],
    fails: [
      [
        contained({ seccompProfile: undefined }),
        'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      ],
      [
        contained({ seccompProfile: { type: 'Unconfined' } }),
        'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
      ],
    ],
  },
]

const run = (id: string, version: number, checked: CheckedPod): string | undefined => {
  const check = checks.find((each) => each.id === id)
  const violation = check?.revisions.findLast(({ since }) => since <= version)?.run(checked)
  return violation === undefined ? undefined : inDetail([violation])
}

it('has a table for every check', () => {
  expect(cases.map(({ id }) => id).sort()).toEqual(checks.map(({ id }) => id).sort())
})

describe.each(cases)('$id', ({ id, since = 0, passes, fails }) => {
  it.each(passes.map((checked, index) => [index, checked] as const))('lets pod %i through', (_index, checked) => {
    expect(run(id, latest, checked)).toBeUndefined()
  })

  it.each(fails.map(([checked, words], index) => [index, checked, words] as const))(
    'forbids pod %i in the words of Kubernetes',
    (_index, checked, words) => {
      expect(run(id, latest, checked)).toBe(words)
      expect(checked.spec.hostUsers === false ? words : run(id, Math.max(since, 25), checked)).toBe(words)
      if (since > 0) expect(run(id, since - 1, checked)).toBeUndefined()
    },
  )
})

describe('versions', () => {
  const restricted = (version: Standard['version']): Standard => ({ level: 'restricted', version })
  const names = (standard: Standard, checked: CheckedPod): readonly string[] => evaluate(standard, checked).map(({ reason }) => reason)

  it.each<[string, number, CheckedPod, boolean]>([
    ['windows was not excepted before 1.25', 24, contained({ allowPrivilegeEscalation: true }, { os: { name: 'windows' } }), false],
    [
      'reserved ports are safe since 1.27',
      26,
      pod({ securityContext: { sysctls: [{ name: 'net.ipv4.ip_local_reserved_ports', value: '1' }] } }),
      false,
    ],
    [
      'reserved ports are safe since 1.27',
      27,
      pod({ securityContext: { sysctls: [{ name: 'net.ipv4.ip_local_reserved_ports', value: '1' }] } }),
      true,
    ],
    [
      'keepalive is safe since 1.29',
      28,
      pod({ securityContext: { sysctls: [{ name: 'net.ipv4.tcp_keepalive_time', value: '1' }] } }),
      false,
    ],
    ['container_engine_t is ordinary since 1.31', 30, contained({ seLinuxOptions: { type: 'container_engine_t' } }), false],
    ['user namespaces relax since 1.35', 34, contained({ runAsUser: 0 }, { hostUsers: false }), false],
    ['user namespaces relax since 1.35', 35, contained({ runAsUser: 0 }, { hostUsers: false }), true],
    ['annotations were profiles before 1.19', 18, pod({}, { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' }), false],
    ['annotations are no profiles since 1.19', 19, pod({}, { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' }), true],
    ['a version that is yet to come is the newest', 99, pod(), true],
  ])('%s (1.%i)', (_name, version, checked, allowed) => {
    expect(names(restricted(version), checked).length === 0).toBe(allowed)
  })

  it('names an overlap once: by the stricter check', () => {
    const bad = contained(
      { capabilities: { add: ['NET_RAW'] }, seccompProfile: { type: 'Unconfined' } },
      { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
    )
    expect(names({ level: 'baseline', version: 'latest' }, bad)).toEqual(['non-default capabilities', 'hostPath volumes', 'seccompProfile'])
    expect(names(restricted('latest'), bad)).toEqual(['unrestricted capabilities', 'restricted volume types', 'seccompProfile'])
    expect(names({ level: 'privileged', version: 'latest' }, bad)).toEqual([])
  })
})
