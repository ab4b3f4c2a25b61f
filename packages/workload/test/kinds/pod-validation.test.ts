import { describe, expect, it } from 'vitest'
import { podResource } from '../../src/index.ts'
import { faultsOf } from './faults-of.ts'

const container = { name: 'c', image: 'i' }
const pod = (spec: object) => ({ spec: { containers: [container], ...spec } })
const one = (more: object) => pod({ containers: [{ ...container, ...more }] })
const security = (securityContext: object) => pod({ securityContext })
const spread = (more: object) => ({ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', ...more })
const mounted = (mount: object, more: object = {}) =>
  pod({
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [{ ...container, ...more, volumeMounts: [{ name: 'v', mountPath: '/a', ...mount }] }],
  })

describe('a pod', () => {
  it.each([
    [
      'with profiles',
      security({ seccompProfile: { type: 'Localhost', localhostProfile: 'a' }, appArmorProfile: { type: 'RuntimeDefault' } }),
    ],
    [
      'with sysctls',
      security({
        sysctls: [
          { name: 'net.ipv4.tcp_syncookies', value: '1' },
          { name: 'net/core/somaxconn', value: '1' },
        ],
      }),
    ],
    [
      'with a claim',
      pod({
        resourceClaims: [{ name: 'r', resourceClaimName: 'x' }],
        containers: [{ ...container, resources: { claims: [{ name: 'r' }] } }],
      }),
    ],
    [
      'of a privileged container that propagates its mounts',
      mounted({ mountPropagation: 'Bidirectional' }, { securityContext: { privileged: true } }),
    ],
    ['on the host’s network', pod({ hostNetwork: true, containers: [{ ...container, ports: [{ containerPort: 80, hostPort: 80 }] }] })],
  ])('%s is accepted', (_, object) => {
    expect(faultsOf(podResource, object)).toEqual([])
  })

  it.each([
    [
      pod({ hostPID: true, shareProcessNamespace: true }),
      'spec.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
    ],
    [pod({ hostUsers: false, hostNetwork: true }), 'spec.hostNetwork: Forbidden: when `hostUsers` is false'],
    [pod({ os: { name: 'beos' } }), 'spec.os.name: Unsupported value: "beos": supported values: "linux", "windows"'],
    [pod({ preemptionPolicy: 'x' }), 'spec.preemptionPolicy: Unsupported value: "x"'],
    [
      pod({ hostNetwork: true, containers: [{ ...container, ports: [{ containerPort: 80, hostPort: 81 }] }] }),
      'spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
    ],
    [security({ runAsUser: -1 }), 'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive'],
    [security({ supplementalGroups: [1, -1] }), 'spec.securityContext.supplementalGroups[1]: Invalid value: -1'],
    [
      security({ seccompProfile: { type: 'Localhost' } }),
      'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
    ],
    [security({ appArmorProfile: { type: 'Unconfined', localhostProfile: 'x' } }), 'can only be set when AppArmor type is Localhost'],
    [
      security({ sysctls: [{ name: 'A b', value: '1' }] }),
      'spec.securityContext.sysctls[0].name: Invalid value: "A b": must have at most 253 characters',
    ],
    [
      one({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
      'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
    ],
    [one({ securityContext: { procMount: 'x' } }), 'spec.containers[0].securityContext.procMount: Unsupported value: "x"'],
    [one({ resources: { claims: [{ name: 'r' }] } }), 'spec.containers[0].resources.claims[0].name: Not found: "r"'],
    [
      one({ resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'x' }] }),
      'spec.containers[0].resizePolicy[0].restartPolicy: Unsupported value: "x"',
    ],
    [mounted({ mountPropagation: 'Bidirectional' }), 'Bidirectional mount propagation is available only to privileged containers'],
    [
      pod({ resourceClaims: [{ name: 'r' }] }),
      'spec.resourceClaims[0]: Invalid value: "": must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
    ],
    [pod({ dnsConfig: { nameservers: ['x'] } }), 'spec.dnsConfig.nameservers[0]: Invalid value: "x": must be a valid IP address'],
    [pod({ dnsConfig: { nameservers: Array(4).fill('1.1.1.1') } }), 'must not have more than 3 nameservers'],
    [pod({ dnsConfig: { searches: Array(33).fill('a.b') } }), 'must not have more than 32 search paths'],
    [pod({ topologySpreadConstraints: [spread({}), spread({})] }), 'Duplicate value: "{zone, DoNotSchedule}"'],
    [
      pod({ topologySpreadConstraints: [spread({ whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2 })] }),
      'can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
    ],
    [
      pod({ topologySpreadConstraints: [spread({ nodeTaintsPolicy: 'x' })] }),
      'spec.topologySpreadConstraints[0].nodeTaintsPolicy: Unsupported value: "x"',
    ],
    [
      pod({
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchFields: [{ key: 'x', operator: 'In', values: ['a'] }] }],
            },
          },
        },
      }),
      'nodeSelectorTerms[0].matchFields[0].key: Invalid value: "x": not a valid field selector key',
    ],
  ])('of %#, is refused as Kubernetes refuses it', (object, message) => {
    expect(faultsOf(podResource, object).join('\n')).toContain(message)
  })
})
