import { type FlowSchema, mandatoryFlowSchemas, mandatoryPriorityLevels, type PriorityLevelConfiguration } from '@continuo/workload'

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1'
/** `"true"`: the spec is kept as this release has it. On mandatory objects always. */
export const autoupdate = 'apf.kubernetes.io/autoupdate-spec'

type SchemaSpec = NonNullable<FlowSchema['spec']>
type Subject = NonNullable<SchemaSpec['rules']>[number]['subjects'][number]
type ResourceRule = NonNullable<NonNullable<SchemaSpec['rules']>[number]['resourceRules']>[number]
type LevelSpec = NonNullable<PriorityLevelConfiguration['spec']>

const group = (name: string): Subject => ({ kind: 'Group', group: { name } })
const user = (name: string): Subject => ({ kind: 'User', user: { name } })
const account = (name: string): Subject => ({ kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name } })

const everyResource: ResourceRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }
const everyUrl = { verbs: ['*'], nonResourceURLs: ['*'] }
const inNamespaces = (verbs: string[], apiGroup: string, ...resources: string[]): ResourceRule => ({
  verbs,
  apiGroups: [apiGroup],
  resources,
  namespaces: ['*'],
})
const leaderVerbs = ['get', 'create', 'update']
const leases = inNamespaces(leaderVerbs, 'coordination.k8s.io', 'leases')
const everyone = [group('system:unauthenticated'), group('system:authenticated')]

const schema = (name: string, spec: SchemaSpec): FlowSchema => ({
  apiVersion,
  kind: 'FlowSchema',
  metadata: { name, annotations: { [autoupdate]: 'true' } },
  spec,
})

const suggestion = (
  name: string,
  level: string,
  matchingPrecedence: number,
  distinguisher: 'ByUser' | 'ByNamespace',
  subjects: Subject[],
  resourceRules: ResourceRule[] = [everyResource],
  nonResourceRules = resourceRules[0] === everyResource ? [everyUrl] : [],
): FlowSchema =>
  schema(name, {
    matchingPrecedence,
    priorityLevelConfiguration: { name: level },
    distinguisherMethod: { type: distinguisher },
    rules: [{ subjects, resourceRules, ...(nonResourceRules.length === 0 ? {} : { nonResourceRules }) }],
  })

const managers = user('system:kube-controller-manager')
const scheduler = user('system:kube-scheduler')

/** The flow schemas that Kubernetes 1.36 suggests. */
export const suggestedFlowSchemas: readonly FlowSchema[] = [
  schema('probes', {
    matchingPrecedence: 2,
    priorityLevelConfiguration: { name: 'exempt' },
    rules: [{ subjects: everyone, nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] }],
  }),
  suggestion('system-leader-election', 'leader-election', 100, 'ByUser', [managers, scheduler, account('*')], [leases]),
  suggestion(
    'endpoint-controller',
    'workload-high',
    150,
    'ByUser',
    [managers, account('endpoint-controller'), account('endpointslicemirroring-controller')],
    [inNamespaces(leaderVerbs, '', 'endpoints')],
  ),
  suggestion(
    'workload-leader-election',
    'leader-election',
    200,
    'ByUser',
    [account('*')],
    [inNamespaces(leaderVerbs, '', 'endpoints', 'configmaps'), leases],
  ),
  suggestion(
    'system-node-high',
    'node-high',
    400,
    'ByUser',
    [group('system:nodes')],
    [
      { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], clusterScope: true, namespaces: ['*'] },
      inNamespaces(['*'], 'coordination.k8s.io', 'leases'),
    ],
  ),
  suggestion('system-nodes', 'system', 500, 'ByUser', [group('system:nodes')]),
  suggestion('kube-controller-manager', 'workload-high', 800, 'ByNamespace', [managers]),
  suggestion('kube-scheduler', 'workload-high', 800, 'ByNamespace', [scheduler]),
  suggestion('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', [account('*')]),
  suggestion('service-accounts', 'workload-low', 9_000, 'ByUser', [group('system:serviceaccounts')]),
  suggestion('global-default', 'global-default', 9_900, 'ByUser', [...everyone]),
]

const level = (name: string, spec: LevelSpec): PriorityLevelConfiguration => ({
  apiVersion,
  kind: 'PriorityLevelConfiguration',
  metadata: { name, annotations: { [autoupdate]: 'true' } },
  spec,
})

const limited = (name: string, shares: number, lendablePercent: number, queues: number, handSize: number): PriorityLevelConfiguration =>
  level(name, {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: shares,
      lendablePercent,
      limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
    },
  })

/** The priority levels that Kubernetes 1.36 suggests. */
export const suggestedPriorityLevels: readonly PriorityLevelConfiguration[] = [
  limited('system', 30, 33, 64, 6),
  limited('node-high', 40, 25, 64, 6),
  limited('leader-election', 10, 0, 16, 4),
  limited('workload-high', 40, 50, 128, 6),
  limited('workload-low', 100, 90, 128, 6),
  limited('global-default', 20, 50, 128, 6),
]

/** Without these no request would find its level. */
export const mandatorySchemas: readonly FlowSchema[] = Object.entries(mandatoryFlowSchemas).map(([name, spec]) =>
  schema(name, structuredClone(spec)),
)
export const mandatoryLevels: readonly PriorityLevelConfiguration[] = Object.entries(mandatoryPriorityLevels).map(([name, spec]) =>
  level(name, structuredClone(spec)),
)
