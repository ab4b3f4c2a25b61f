import { describe, expect, it } from 'vitest'
import {
  certificateSigningRequestResource,
  cronJobResource,
  horizontalPodAutoscalerResource,
  ingressClassResource,
  ingressResource,
  jobResource,
  limitRangeResource,
  networkPolicyResource,
  persistentVolumeClaimResource,
  persistentVolumeResource,
  podDisruptionBudgetResource,
  secretResource,
  serviceResource,
  statefulSetResource,
} from '../../src/index.ts'
import { faultsOf } from './faults-of.ts'

const podSpec = { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never' }
const template = { metadata: { labels: { app: 'a' } }, spec: podSpec }
const job = (spec: object) => ({ spec: { selector: { matchLabels: { app: 'a' } }, template, ...spec } })
const cron = (spec: object) => ({ spec: { schedule: '* * * * *', jobTemplate: { spec: { template } }, ...spec } })
const every = (schedule: string) => cron({ schedule })
const failing = (...rules: object[]) => job({ podFailurePolicy: { rules } })
const indexed = (spec: object) => job({ completionMode: 'Indexed', completions: 5, ...spec })
const scaler = (spec: object) => ({
  apiVersion: 'autoscaling/v2',
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'd' }, maxReplicas: 3, ...spec },
})
const metric = (one: object) => scaler({ metrics: [one] })
const cpu = (target: object) => metric({ type: 'Resource', resource: { name: 'cpu', target } })
const down = (rules: object) => scaler({ behavior: { scaleDown: rules } })
const policy = (spec: object) => ({ spec: { podSelector: {}, ...spec } })
const from = (...peers: object[]) => policy({ ingress: [{ from: peers }] })
const port = (one: object) => policy({ ingress: [{ ports: [one] }] })
const backend = { service: { name: 's', port: { number: 80 } } }
const rule = (host: string, path: object = {}) => ({
  spec: { rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend, ...path }] } }] },
})
const ingressClass = (parameters: object) => ({ spec: { controller: 'a.io/b', parameters: { kind: 'K', name: 'n', ...parameters } } })
const volume = (spec: object) => ({ spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...spec } })
const onDisk = { hostPath: { path: '/data' } }
const claim = (spec: object) => ({ spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } }, ...spec } })
const limit = (one: object) => ({ spec: { limits: [{ type: 'Container', ...one }] } })
const service = (spec: object) => ({ spec: { ports: [{ port: 80 }], ...spec } })
const stateful = (spec: object) => ({
  spec: {
    serviceName: 's',
    selector: { matchLabels: { app: 'a' } },
    template: { ...template, spec: { ...podSpec, restartPolicy: 'Always' } },
    ...spec,
  },
})
const csr = (spec: object) => ({ spec: { request: 'AAEC', signerName: 'a.io/b', usages: ['client auth'], ...spec } })
const decided = (...types: string[]) => ({ conditions: types.map((type) => ({ type, status: 'True' })) })
const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('validation of kinds', () => {
  it.each([
    ['a schedule of names, steps and lists', cronJobResource, every('*/5 0-6/2 1,15 JAN-mar mon-FRI')],
    ['a schedule by interval', cronJobResource, every('@every 1h30m')],
    ['a time zone', cronJobResource, cron({ timeZone: 'Europe/Berlin' })],
    ['a job with a failure policy', jobResource, failing({ action: 'FailJob', onExitCodes: { operator: 'In', values: [1, 42] } })],
    [
      'an indexed job that succeeds early',
      jobResource,
      indexed({ successPolicy: { rules: [{ succeededIndexes: '0,2-4', succeededCount: 1 }] } }),
    ],
    ['an autoscaler by default', horizontalPodAutoscalerResource, scaler({})],
    [
      'an autoscaler with behaviour',
      horizontalPodAutoscalerResource,
      down({ policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] }),
    ],
    ['a policy by address', networkPolicyResource, from({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } })],
    ['a range of ports', networkPolicyResource, port({ port: 80, endPort: 90 })],
    ['an ingress with a wildcard', ingressResource, rule('*.example.com')],
    ['a class with parameters', ingressClassResource, ingressClass({ scope: 'Namespace', namespace: 'a' })],
    ['a volume', persistentVolumeResource, volume(onDisk)],
    [
      'a volume of a storage network',
      persistentVolumeResource,
      volume({ iscsi: { targetPortal: 'p:3260', iqn: 'iqn.2026-01.io.demo:disk.1', lun: 3 } }),
    ],
    ['a claim', persistentVolumeClaimResource, claim({ storageClassName: '' })],
    ['limits in order', limitRangeResource, limit({ min: { cpu: '100m' }, max: { cpu: '1' }, default: { cpu: '500m' } })],
    ['a service of both families', serviceResource, service({ ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'PreferDualStack' })],
    ['a stateful set', statefulSetResource, stateful({})],
    ['a registry’s secret', secretResource, { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('{}') } }],
  ])('accepts %s', (_, resource, object) => {
    expect(faultsOf(resource, object)).toEqual([])
  })

  it.each([
    [certificateSigningRequestResource, csr({ usages: ['fun'] }), 'spec.usages[0]: Unsupported value: "fun"'],
    [
      certificateSigningRequestResource,
      { ...csr({}), status: decided('Approved', 'Denied') },
      'Approved and Denied conditions are mutually exclusive',
    ],
    [cronJobResource, every('* * *'), 'spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]'],
    [cronJobResource, every('70 * * * *'), 'end of range (70) above maximum (59): 70'],
    [cronJobResource, every('* * 0 * *'), 'beginning of range (0) below minimum (1): 0'],
    [cronJobResource, every('5-1 * * * *'), 'beginning of range (5) beyond end of range (1): 5-1'],
    [cronJobResource, every('*/0 * * * *'), 'step of range should be a positive number: */0'],
    [cronJobResource, every('x * * * *'), 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    [cronJobResource, every('@often'), 'unrecognized descriptor: @often'],
    [
      cronJobResource,
      every('TZ=UTC 0 * * * *'),
      'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ],
    [cronJobResource, cron({ timeZone: '' }), 'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'],
    [cronJobResource, cron({ timeZone: 'Local' }), 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'],
    [cronJobResource, cron({ timeZone: 'Nowhere/City' }), 'spec.timeZone: Invalid value: "Nowhere/City": unknown time zone Nowhere/City'],
    [
      cronJobResource,
      cron({ jobTemplate: { spec: { template, selector: {} } } }),
      'spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated',
    ],
    [
      cronJobResource,
      cron({ jobTemplate: { spec: { template, manualSelector: true } } }),
      'spec.jobTemplate.spec.manualSelector: Unsupported value: true',
    ],
    [jobResource, job({ backoffLimitPerIndex: 1 }), 'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
    [jobResource, indexed({ maxFailedIndexes: 1 }), 'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified'],
    [
      jobResource,
      indexed({ maxFailedIndexes: 6, backoffLimitPerIndex: 1 }),
      'spec.maxFailedIndexes: Invalid value: 6: must be less than or equal to completions',
    ],
    [jobResource, indexed({ parallelism: 100_001 }), 'must be less than or equal to 100000 when completion mode is Indexed'],
    [jobResource, job({ successPolicy: { rules: [] } }), 'requires indexed completion mode'],
    [
      jobResource,
      indexed({ successPolicy: {} }),
      'spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified',
    ],
    [
      jobResource,
      failing({ action: 'Nothing', onPodConditions: [{ type: 'x', status: 'True' }] }),
      'spec.podFailurePolicy.rules[0].action: Unsupported value: "Nothing"',
    ],
    [
      jobResource,
      failing({ action: 'Count' }),
      'spec.podFailurePolicy.rules[0]: Invalid value: "": specifying one of OnExitCodes and OnPodConditions is required',
    ],
    [
      jobResource,
      failing({ action: 'Count', onExitCodes: { operator: 'In', values: [0] } }),
      'spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator',
    ],
    [jobResource, failing({ action: 'Count', onExitCodes: { operator: 'In', values: [2, 1] } }), 'must be ordered'],
    [
      jobResource,
      job({ selector: { matchLabels: { app: 'b' } } }),
      'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
    ],
    [horizontalPodAutoscalerResource, scaler({ minReplicas: 0 }), 'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1'],
    [horizontalPodAutoscalerResource, metric({ type: 'Other' }), 'spec.metrics[0].type: Unsupported value: "Other"'],
    [
      horizontalPodAutoscalerResource,
      metric({ type: 'Pods' }),
      'spec.metrics[0].pods: Required value: must populate information for the given metric source',
    ],
    [
      horizontalPodAutoscalerResource,
      cpu({ type: 'Utilization' }),
      'spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
    ],
    [
      horizontalPodAutoscalerResource,
      cpu({ type: 'Utilization', averageUtilization: 0 }),
      'averageUtilization: Invalid value: 0: must be greater than 0',
    ],
    [
      horizontalPodAutoscalerResource,
      cpu({ type: 'x', averageValue: '1' }),
      'spec.metrics[0].resource.target.type: Invalid value: "x": must be either Utilization, Value, or AverageValue',
    ],
    [
      horizontalPodAutoscalerResource,
      down({ policies: [] }),
      'spec.behavior.scaleDown.policies: Required value: must specify at least one Policy',
    ],
    [horizontalPodAutoscalerResource, down({ stabilizationWindowSeconds: 3601 }), 'must be less than or equal to 3600'],
    [podDisruptionBudgetResource, { spec: { unhealthyPodEvictionPolicy: 'x' } }, 'spec.unhealthyPodEvictionPolicy: Unsupported value: "x"'],
    [networkPolicyResource, from({}), 'spec.ingress[0].from[0]: Required value: must specify a peer'],
    [
      networkPolicyResource,
      from({ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }),
      'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
    ],
    [
      networkPolicyResource,
      from({ ipBlock: { cidr: '10.0.0/8' } }),
      'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0/8": must be a valid CIDR value',
    ],
    [
      networkPolicyResource,
      from({ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }),
      'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
    ],
    [
      networkPolicyResource,
      port({ port: 90, endPort: 80 }),
      'spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`',
    ],
    [networkPolicyResource, port({ port: 'http', endPort: 80 }), 'may not be specified when `port` is non-numeric'],
    [ingressResource, rule('10.0.0.1'), 'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
    [ingressResource, rule('a.*.com'), 'a wildcard DNS-1123 subdomain must start with'],
    [ingressResource, rule('a', { path: '/a//b' }), 'spec.rules[0].http.paths[0].path: Invalid value: "/a//b": must not contain \'//\''],
    [
      ingressResource,
      rule('a', { pathType: undefined }),
      'spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified',
    ],
    [
      ingressResource,
      rule('a', { backend: {} }),
      'spec.rules[0].http.paths[0].backend: Invalid value: "": resource or service backend is required',
    ],
    [
      ingressResource,
      rule('a', { backend: { service: { name: 's' } } }),
      'spec.rules[0].http.paths[0].backend: Required value: port name or number is required',
    ],
    [
      ingressClassResource,
      { spec: { controller: 'b' } },
      'spec.controller: Invalid value: "b": must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [
      ingressClassResource,
      ingressClass({ namespace: 'a' }),
      "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
    ],
    [
      ingressClassResource,
      ingressClass({ scope: 'Namespace' }),
      "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
    ],
    [persistentVolumeResource, volume({}), 'spec: Required value: must specify a volume type'],
    ...(
      [
        [{ awsElasticBlockStore: { volumeID: '' } }, 'awsElasticBlockStore.volumeID: Required value'],
        [
          { awsElasticBlockStore: { volumeID: 'v', partition: 256 } },
          'awsElasticBlockStore.partition: Invalid value: 256: must be between',
        ],
        [{ azureDisk: { diskName: 'd', diskURI: '' } }, 'azureDisk.diskURI: Required value'],
        [{ azureDisk: { diskName: 'd', diskURI: 'x', kind: 'Managed' } }, 'azureDisk.diskURI: Unsupported value: "x"'],
        [{ azureDisk: { diskName: 'd', diskURI: 'x', cachingMode: 'Some' } }, 'azureDisk.cachingMode: Unsupported value: "Some"'],
        [{ azureFile: { secretName: 's', shareName: 'f', secretNamespace: '' } }, 'azureFile.secretNamespace: Required value'],
        [{ cephfs: { monitors: [] } }, 'cephfs.monitors: Required value'],
        [{ cinder: { volumeID: 'v', secretRef: { name: 's' } } }, 'cinder.secretRef.namespace: Required value'],
        [{ fc: {} }, 'fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not both'],
        [{ fc: { targetWWNs: ['w'] } }, 'fc.lun: Required value: lun is required if targetWWNs is specified'],
        [{ flexVolume: { driver: 'd', options: { 'x.k8s.io/a': 'b' } } }, 'flexVolume.options[x.k8s.io/a]: Invalid value'],
        [{ gcePersistentDisk: { pdName: '' } }, 'gcePersistentDisk.pdName: Required value'],
        [{ glusterfs: { endpoints: 'e', path: '' } }, 'glusterfs.path: Required value'],
        [
          { iscsi: { targetPortal: 'p', iqn: 'x', lun: 0 } },
          'iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa',
        ],
        [{ iscsi: { targetPortal: 'p', iqn: 'eui.1', lun: 0, chapAuthSession: true } }, 'iscsi.secretRef: Required value'],
        [{ rbd: { monitors: ['m'], image: '' } }, 'rbd.image: Required value'],
        [{ scaleIO: { gateway: 'g', system: 's', secretRef: {} } }, 'scaleIO.volumeName: Required value'],
        [{ storageos: {} }, 'storageos.volumeName: Required value'],
        [{ vsphereVolume: { volumePath: '' } }, 'vsphereVolume.volumePath: Required value'],
        [
          { csi: { driver: 'd.io', volumeHandle: 'h', nodePublishSecretRef: { name: 's' } } },
          'csi.nodePublishSecretRef.namespace: Required value',
        ],
      ] as const
    ).map(([source, message]): [typeof persistentVolumeResource, object, string] => [
      persistentVolumeResource,
      volume(source),
      `spec.${message}`,
    ]),
    [
      persistentVolumeResource,
      volume({ ...onDisk, accessModes: ['ReadWriteOncePod', 'ReadOnlyMany'] }),
      'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
    ],
    [
      persistentVolumeResource,
      volume({ ...onDisk, capacity: { storage: '1Gi', cpu: '1' } }),
      'spec.capacity: Unsupported value: {"storage":"1Gi","cpu":"1"}: supported values: "storage"',
    ],
    [
      persistentVolumeResource,
      volume({ ...onDisk, nfs: { server: 's', path: '/' } }),
      'spec.nfs: Forbidden: may not specify more than 1 volume type',
    ],
    [persistentVolumeResource, volume({ local: { path: '/a' } }), 'spec.nodeAffinity: Required value: Local volume requires node affinity'],
    [
      persistentVolumeResource,
      volume({ hostPath: { path: '/a/../b' } }),
      'spec.hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
    ],
    [
      persistentVolumeClaimResource,
      claim({ accessModes: ['ReadWriteOnce', 'ReadWriteOncePod'] }),
      'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
    ],
    [
      persistentVolumeClaimResource,
      claim({ dataSource: { kind: 'Other', name: 'x' } }),
      "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
    ],
    [
      limitRangeResource,
      { spec: { limits: [{ type: 'Pod', default: { cpu: '1' } }] } },
      "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
    ],
    [
      limitRangeResource,
      limit({ default: { cpu: '2' }, max: { cpu: '1' } }),
      'spec.limits[0].default[cpu]: Invalid value: "2": default value 2 is greater than max value 1',
    ],
    [
      limitRangeResource,
      { spec: { limits: [{ type: 'PersistentVolumeClaim' }] } },
      'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
    ],
    [limitRangeResource, limit({ maxLimitRequestRatio: { cpu: '500m' } }), 'ratio 500m is less than 1'],
    [
      serviceResource,
      service({ healthCheckNodePort: 30000 }),
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
    [
      serviceResource,
      service({ externalTrafficPolicy: 'Local' }),
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ],
    [
      serviceResource,
      service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['x'] }),
      'spec.loadBalancerSourceRanges[0]: Invalid value: "x": must be a valid CIDR value',
    ],
    [
      serviceResource,
      service({ ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'SingleStack' }),
      'must be RequireDualStack or PreferDualStack when multiple `ipFamilies` are specified',
    ],
    [
      statefulSetResource,
      stateful({ updateStrategy: { type: 'OnDelete', rollingUpdate: {} } }),
      "only allowed for updateStrategy 'RollingUpdate'",
    ],
    [
      statefulSetResource,
      stateful({ persistentVolumeClaimRetentionPolicy: { whenScaled: 'Keep' } }),
      'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep"',
    ],
    [
      secretResource,
      { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64('x') } },
      'data[.dockercfg]: Invalid value: "<secret contents redacted>"',
    ],
  ])('of %#, refuses what Kubernetes refuses', (resource, object, message) => {
    expect(faultsOf(resource, object).join('\n')).toContain(message)
  })

  it.each([
    [
      certificateSigningRequestResource,
      csr({}),
      { ...csr({}), status: decided('Approved') },
      'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
    ],
    [
      certificateSigningRequestResource,
      { ...csr({}), status: decided('Denied') },
      csr({}),
      'status.conditions: Forbidden: updates may not add a condition of type "Denied"',
    ],
    [
      persistentVolumeResource,
      volume({ hostPath: { path: '/b' } }),
      volume(onDisk),
      'spec.persistentvolumesource is immutable after creation',
    ],
    [
      persistentVolumeResource,
      volume({ ...onDisk, volumeMode: 'Block' }),
      volume(onDisk),
      'spec.volumeMode: Invalid value: "Block": field is immutable',
    ],
    [
      persistentVolumeClaimResource,
      claim({ resources: { requests: { storage: '1Gi' } } }),
      { ...claim({}), status: { capacity: { storage: '2Gi' } } },
      'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    ],
  ])('of the update %#, refuses what Kubernetes refuses', (resource, next, old, message) => {
    expect(faultsOf(resource, next, old).join('\n')).toContain(message)
  })

  it('lets a service change its type without unsaying what the old one needed', () => {
    const old = service({ type: 'LoadBalancer' })
    serviceResource.strategy?.default?.(old as never)
    const next = structuredClone(old) as { spec: Record<string, unknown> }
    next.spec.type = 'ClusterIP'
    serviceResource.strategy?.default?.(next as never)
    serviceResource.strategy?.prepareForUpdate?.(next as never, old as never)
    expect(faultsOf(serviceResource, next)).toEqual([])
    expect(next.spec).not.toHaveProperty('allocateLoadBalancerNodePorts')
    expect(next.spec).not.toHaveProperty('externalTrafficPolicy')
  })
})
