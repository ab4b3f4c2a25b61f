import { describe, expect, it } from 'vitest'
import {
  apiServiceResource,
  csiDriverResource,
  csiNodeResource,
  csiStorageCapacityResource,
  deviceClassResource,
  flowSchemaResource,
  ipAddressResource,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  priorityLevelConfigurationResource,
  resourceClaimResource,
  resourceClaimTemplateResource,
  resourceSliceResource,
  serviceCidrResource,
  storageClassResource,
  volumeAttachmentResource,
  volumeAttributesClassResource,
} from '../../src/index.ts'
import { faultsOf } from './faults-of.ts'

const apiService = (spec: object, name = 'v1.demo.io') => ({
  metadata: { name },
  spec: { group: 'demo.io', version: 'v1', groupPriorityMinimum: 10, versionPriority: 10, ...spec },
})
const service = { namespace: 'a', name: 'b' }
const group = (name: string) => ({ kind: 'Group', group: { name } })
const rule = { subjects: [group('g')], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] }
const flow = (spec: object, name = 'a') => ({
  metadata: { name },
  spec: { priorityLevelConfiguration: { name: 'p' }, rules: [rule], ...spec },
})
const flowWith = (one: object) => flow({ rules: [{ ...rule, ...one }] })
const limited = (one: object) => ({ spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' }, ...one } } })
const queue = (queuing: object) => limited({ limitResponse: { type: 'Queue', queuing } })
const inlined = (spec: object) => ({ spec: { attacher: 'd.io', nodeName: 'n', source: { inlineVolumeSpec: spec } } })
const selecting = (expression: string) => ({ spec: { selectors: [{ cel: { expression } }] } })
const claim = (...requests: object[]) => ({ spec: { devices: { requests } } })
const wanted = { deviceClassName: 'gpu' }
const slice = (spec: object) => ({
  spec: { driver: 'gpu.demo.io', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, nodeName: 'n', ...spec },
})

describe('validation', () => {
  it.each([
    ['an aggregated API', apiServiceResource, apiService({ service, insecureSkipTLSVerify: true })],
    ['a local API', apiServiceResource, apiService({})],
    ['the core API', apiServiceResource, apiService({ group: '' }, 'v1.')],
    ['a flow schema', flowSchemaResource, flow({})],
    ['the flow of everybody', flowSchemaResource, { metadata: { name: 'catch-all' }, spec: mandatoryFlowSchemas['catch-all'] }],
    ['the exempt flow', flowSchemaResource, { metadata: { name: 'exempt' }, spec: mandatoryFlowSchemas.exempt }],
    ['a level that refuses', priorityLevelConfigurationResource, limited({})],
    ['a level that queues', priorityLevelConfigurationResource, queue({})],
    [
      'the level of everybody',
      priorityLevelConfigurationResource,
      { metadata: { name: 'catch-all' }, spec: mandatoryPriorityLevels['catch-all'] },
    ],
    [
      'an exempt level with shares',
      priorityLevelConfigurationResource,
      { metadata: { name: 'exempt' }, spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 7 } } },
    ],
    [
      'an address',
      ipAddressResource,
      { metadata: { name: '10.0.0.1' }, spec: { parentRef: { resource: 'services', namespace: 'a', name: 'b' } } },
    ],
    ['ranges of both families', serviceCidrResource, { spec: { cidrs: ['10.0.0.0/16', '2001:db8::/64'] } }],
    ['a driver', csiDriverResource, { spec: {} }],
    ['a node’s drivers', csiNodeResource, { spec: { drivers: [{ name: 'd.io', nodeID: 'n', topologyKeys: ['d.io/zone'] }] } }],
    [
      'a class of devices',
      deviceClassResource,
      { spec: { extendedResourceName: 'demo.io/gpu', selectors: [{ cel: { expression: 'true' } }] } },
    ],
    [
      'a class of devices that match what they are',
      deviceClassResource,
      selecting(
        'device.driver == "d.io" && device.attributes["d.io"].model == "x" && device.capacity["d.io"].memory.compareTo(quantity("1Gi")) >= 0',
      ),
    ],
    [
      'expressions that bind, compare versions and ask what there is',
      deviceClassResource,
      selecting(
        'cel.bind(d, device.attributes["d.io"], "model" in d && d.v.isGreaterThan(semver("1.0.0"))) || device.allowMultipleAllocations',
      ),
    ],
    ['a claim', resourceClaimResource, claim({ name: 'r', exactly: wanted })],
    ['a claim with alternatives', resourceClaimResource, claim({ name: 'r', firstAvailable: [{ name: 'a', ...wanted }] })],
    ['a template of claims', resourceClaimTemplateResource, { spec: claim({ name: 'r', exactly: wanted }) }],
    [
      'a slice',
      resourceSliceResource,
      slice({ devices: [{ name: 'd', attributes: { model: { string: 'x' } }, capacity: { memory: { value: '1Gi' } } }] }),
    ],
    ['an attachment', volumeAttachmentResource, { spec: { attacher: 'd.io', nodeName: 'n', source: { persistentVolumeName: 'v' } } }],
    [
      'an attachment of an inline volume',
      volumeAttachmentResource,
      inlined({ accessModes: ['ReadWriteOnce'], csi: { driver: 'd.io', volumeHandle: 'h' } }),
    ],
    ['attributes of volumes', volumeAttributesClassResource, { driverName: 'd.io', parameters: { iops: '5' } }],
  ])('accepts %s', (_, resource, object) => {
    expect(faultsOf(resource, object)).toEqual([])
  })

  it.each([
    [apiServiceResource, apiService({}, 'x'), 'metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.demo.io"'],
    [
      apiServiceResource,
      apiService({ group: '', version: 'v2' }, 'v2.'),
      'spec.group: Required value: only v1 may have an empty group and it better be legacy kube',
    ],
    [
      apiServiceResource,
      apiService({ groupPriorityMinimum: 0 }),
      'spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000',
    ],
    [
      apiServiceResource,
      apiService({ versionPriority: 1001 }),
      'spec.versionPriority: Invalid value: 1001: must be positive and less than 1000',
    ],
    [
      apiServiceResource,
      apiService({ caBundle: 'AAEC' }),
      'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
    ],
    [apiServiceResource, apiService({ service: { name: 'b' } }), 'spec.service.namespace: Required value'],
    [
      apiServiceResource,
      apiService({ service, caBundle: 'AAEC', insecureSkipTLSVerify: true }),
      'spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present',
    ],
    [
      flowSchemaResource,
      flow({ matchingPrecedence: 10_001 }),
      'spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000',
    ],
    [
      flowSchemaResource,
      flow({ matchingPrecedence: 1 }),
      "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
    ],
    [
      flowSchemaResource,
      flow({ priorityLevelConfiguration: {} }),
      'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
    ],
    [flowSchemaResource, flowWith({ subjects: [] }), 'spec.rules[0].subjects: Required value: subjects must contain at least one value'],
    [
      flowSchemaResource,
      flowWith({ subjects: [{ kind: 'User', group: { name: 'x' } }] }),
      "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
    ],
    [
      flowSchemaResource,
      flowWith({ subjects: [{ ...group('x'), user: { name: 'y' } }] }),
      "spec.rules[0].subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'",
    ],
    [
      flowSchemaResource,
      flowWith({ nonResourceRules: [] }),
      'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
    ],
    [
      flowSchemaResource,
      flowWith({ nonResourceRules: [{ verbs: ['*', 'get'], nonResourceURLs: ['*'] }] }),
      'spec.rules[0].nonResourceRules[0].verbs: Invalid value: ["*","get"]: if \'*\' is present, must not specify other verbs',
    ],
    [
      flowSchemaResource,
      flowWith({ nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/a*b'] }] }),
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "/a*b": wildcard can only do suffix matching',
    ],
    [
      flowSchemaResource,
      flowWith({ resourceRules: [{ verbs: ['get'], apiGroups: ['*'], resources: ['*'] }] }),
      'spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
    ],
    [
      flowSchemaResource,
      flow({ matchingPrecedence: 1, priorityLevelConfiguration: { name: 'exempt' } }, 'exempt'),
      "spec of 'exempt' must equal the fixed value",
    ],
    [
      priorityLevelConfigurationResource,
      { spec: { type: 'Limited' } },
      'spec.limited: Required value: must not be empty when type is Limited',
    ],
    [
      priorityLevelConfigurationResource,
      { spec: { type: 'Exempt', exempt: {} } },
      "spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'",
    ],
    [
      priorityLevelConfigurationResource,
      limited({ lendablePercent: 101 }),
      'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
    ],
    [
      priorityLevelConfigurationResource,
      queue({ queues: 4, handSize: 5 }),
      'spec.limited.limitResponse.queuing.handSize: Invalid value: 5: should not be greater than queues (4)',
    ],
    [
      priorityLevelConfigurationResource,
      queue({ queues: 1024, handSize: 7 }),
      'spec.limited.limitResponse.queuing.handSize: Invalid value: 7: required entropy bits of deckSize 1024 and handSize 7 should not be greater than 60',
    ],
    [
      priorityLevelConfigurationResource,
      { metadata: { name: 'catch-all' }, ...limited({}) },
      "spec of 'catch-all' must equal the fixed value",
    ],
    [ipAddressResource, { spec: {} }, 'spec.parentRef: Required value'],
    [serviceCidrResource, { spec: {} }, 'spec.cidrs: Required value: at least one CIDR required'],
    [
      serviceCidrResource,
      { spec: { cidrs: ['10.0.0.1/16'] } },
      'spec.cidrs[0]: Invalid value: "10.0.0.1/16": must not have bits set beyond the prefix length',
    ],
    [
      serviceCidrResource,
      { spec: { cidrs: ['2001:DB8::/64'] } },
      'spec.cidrs[0]: Invalid value: "2001:DB8::/64": must be in canonical form ("2001:db8::/64")',
    ],
    [serviceCidrResource, { spec: { cidrs: ['10.0.0.0/16', '10.1.0.0/16'] } }, 'may specify no more than one IP for each IP family'],
    [csiDriverResource, { spec: { fsGroupPolicy: 'x' } }, 'spec.fsGroupPolicy: Unsupported value: "x"'],
    [
      csiDriverResource,
      { spec: { tokenRequests: [{ audience: 'a' }, { audience: 'a' }] } },
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
    ],
    [
      csiDriverResource,
      { spec: { tokenRequests: [{ audience: '', expirationSeconds: 5 }] } },
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
    ],
    [csiNodeResource, { spec: { drivers: [{ name: 'd.io' }] } }, 'spec.drivers[0].nodeID: Required value'],
    [
      csiStorageCapacityResource,
      { storageClassName: 'x', capacity: '-1' },
      'capacity: Invalid value: "-1": must be greater than or equal to 0',
    ],
    [
      volumeAttachmentResource,
      { spec: { attacher: 'd.io', nodeName: 'n', source: {} } },
      'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
    ],
    ...(
      [
        [{ claimRef: {} }, 'claimRef: Forbidden: may not be specified in the context of inline volumes'],
        [{ nodeAffinity: {} }, 'nodeAffinity: Forbidden: may not be specified in the context of inline volumes'],
        [{ hostPath: { path: '/a' } }, 'csi: Required value: has to be specified in the context of inline volumes'],
        [{}, 'accessModes: Required value'],
        [{ volumeMode: 'Block' }, 'volumeMode: Forbidden: may not specify volumeMode other than Filesystem'],
        [{ persistentVolumeReclaimPolicy: 'Delete' }, 'persistentVolumeReclaimPolicy: Forbidden: may only be Retain'],
      ] as const
    ).map(([spec, message]): [typeof volumeAttachmentResource, object, string] => [
      volumeAttachmentResource,
      inlined(spec),
      `spec.source.inlineVolumeSpec.${message}`,
    ]),
    [volumeAttributesClassResource, { driverName: 'd.io' }, 'parameters: Required value: must contain at least one key/value pair'],
    [storageClassResource, { provisioner: 'a b' }, 'provisioner: Invalid value: "a b": '],
    [
      storageClassResource,
      { provisioner: 'a', allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: [] }] }] },
      'allowedTopologies[0].matchLabelExpressions[0].values: Required value',
    ],
    [deviceClassResource, { spec: { selectors: [{}] } }, 'spec.selectors[0].cel: Required value'],
    [deviceClassResource, selecting('device.drivr == "x"'), "compilation failed: ERROR: <input>:1:7: undefined field 'drivr'"],
    [
      deviceClassResource,
      selecting('device.driver'),
      'spec.selectors[0].cel.expression: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string',
    ],
    [
      deviceClassResource,
      selecting(
        'device.attributes["d.io"].all(a, device.attributes["d.io"].all(b, device.attributes["d.io"].all(c, device.attributes["d.io"].all(d, true))))',
      ),
      'spec.selectors[0].cel.expression: Forbidden: too complex, exceeds cost limit',
    ],
    [
      resourceClaimResource,
      claim({ name: 'r', exactly: { deviceClassName: 'c', allocationMode: 'All', selectors: [{ cel: { expression: 'gpu' } }] } }),
      'spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value: "gpu": compilation failed: ERROR: <input>:1:1: undeclared reference to \'gpu\'',
    ],
    [
      deviceClassResource,
      { spec: { extendedResourceName: 'cpu' } },
      'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name',
    ],
    [
      resourceClaimResource,
      claim({ name: 'r' }),
      'spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required',
    ],
    [
      resourceClaimResource,
      claim({ name: 'r', exactly: { ...wanted, allocationMode: 'All', count: 2 } }),
      "spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
    ],
    [resourceClaimResource, claim({ name: 'r', exactly: {} }), 'spec.devices.requests[0].exactly.deviceClassName: Required value'],
    [
      resourceClaimResource,
      claim({ name: 'r', exactly: wanted }, { name: 'r', exactly: wanted }),
      'spec.devices.requests[1]: Duplicate value: "r"',
    ],
    [
      resourceClaimResource,
      { spec: { devices: { requests: [{ name: 'r', exactly: wanted }], constraints: [{ requests: ['x'], matchAttribute: 'numa' }] } } },
      'spec.devices.constraints[0].requests[0]: Invalid value: "x": must be the name of a request in the claim',
    ],
    [
      resourceClaimResource,
      { spec: { devices: { constraints: [{ matchAttribute: 'numa' }] } } },
      'spec.devices.constraints[0].matchAttribute: Invalid value: "numa": must include a domain',
    ],
    [
      resourceSliceResource,
      slice({ nodeName: undefined }),
      'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
    ],
    [resourceSliceResource, slice({ allNodes: true }), 'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of'],
    [
      resourceSliceResource,
      slice({ devices: [{ name: 'd', attributes: { a: { string: 'x', int: 1 } } }] }),
      'exactly one value must be specified',
    ],
    [
      resourceSliceResource,
      slice({ devices: [{ name: 'd', attributes: { a: { version: '1' } } }] }),
      'spec.devices[0].attributes[a].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0',
    ],
  ])('of %#, refuses what Kubernetes refuses', (resource, object, message) => {
    expect(faultsOf(resource, object).join('\n')).toContain(message)
  })

  it.each([
    [
      csiDriverResource,
      { spec: { attachRequired: false } },
      { spec: {} },
      'spec.attachedRequired: Invalid value: false: field is immutable',
    ],
    [storageClassResource, { provisioner: 'a' }, { provisioner: 'b' }, 'provisioner: Forbidden: updates to provisioner are forbidden.'],
    [
      storageClassResource,
      { provisioner: 'a', reclaimPolicy: 'Retain' },
      { provisioner: 'a' },
      'reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.',
    ],
    [
      volumeAttributesClassResource,
      { driverName: 'a' },
      { driverName: 'b' },
      'driverName: Forbidden: updates to driverName are forbidden.',
    ],
    [resourceClaimResource, claim({ name: 'r', exactly: wanted }), claim({ name: 's', exactly: wanted }), 'field is immutable'],
    [resourceSliceResource, slice({ driver: 'b.io' }), slice({}), 'spec.driver: Invalid value: "b.io": field is immutable'],
    [
      serviceCidrResource,
      { spec: { cidrs: ['10.1.0.0/16'] } },
      { spec: { cidrs: ['10.0.0.0/16'] } },
      'spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable',
    ],
    [
      csiNodeResource,
      { spec: { drivers: [{ name: 'd.io', nodeID: 'm' }] } },
      { spec: { drivers: [{ name: 'd.io', nodeID: 'n' }] } },
      'spec.drivers: Invalid value: {"name":"d.io","nodeID":"m"}: field is immutable',
    ],
  ])('of the update %#, refuses what Kubernetes refuses', (resource, next, old, message) => {
    expect(faultsOf(resource, next, old).join('\n')).toContain(message)
  })

  it('lets a second range be added, and the count of a driver’s volumes change', () => {
    expect(faultsOf(serviceCidrResource, { spec: { cidrs: ['10.0.0.0/16', 'fd00::/64'] } }, { spec: { cidrs: ['10.0.0.0/16'] } })).toEqual(
      [],
    )
    const drivers = (count: number) => ({ spec: { drivers: [{ name: 'd.io', nodeID: 'n', allocatable: { count } }] } })
    expect(faultsOf(csiNodeResource, drivers(5), drivers(3))).toEqual([])
  })

  it('names addresses by themselves', () => {
    const rule = ipAddressResource.strategy?.validateName
    expect(rule?.('10.0.0.1', false)).toEqual([])
    expect(rule?.('2001:db8::1', false)).toEqual([])
    expect(rule?.('2001:DB8::1', false)).toEqual(['must be in canonical form ("2001:db8::1")'])
    expect(rule?.('web', false)).toEqual(['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'])
  })

  it('keeps an allocation as it is, and reservations to what is allocated', () => {
    const spec = claim({ name: 'r', exactly: wanted }).spec
    const allocation = { devices: { results: [{ request: 'r', driver: 'd.io', pool: 'p', device: 'x' }] } }
    const user = { resource: 'pods', name: 'a', uid: 'u' }
    expect(faultsOf(resourceClaimResource, { spec, status: { reservedFor: [user] } }, { spec })).toEqual([
      'status.reservedFor: Forbidden: may not be specified when `allocated` is not set',
    ])
    expect(faultsOf(resourceClaimResource, { spec, status: { allocation, reservedFor: [user] } }, { spec })).toEqual([])
    const other = { devices: { results: [{ request: 'x', driver: 'd.io', pool: 'p', device: 'x' }] } }
    expect(faultsOf(resourceClaimResource, { spec, status: { allocation: other } }, { spec, status: { allocation } }).join()).toContain(
      'status.allocation: Invalid value:',
    )
    expect(faultsOf(resourceClaimResource, { spec, status: { allocation: other } }, { spec }).join()).toContain(
      'status.allocation.devices.results[0].request: Invalid value: "x"',
    )
  })
})
