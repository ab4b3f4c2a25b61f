import type { UserInfo } from '@continuo/core'
import type { FlowPath } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { Classifier, inOrder } from '../../src/classify/classifier.ts'
import { mandatorySchemas, suggestedFlowSchemas } from '../../src/objects/suggested.ts'

const schemas = inOrder([...suggestedFlowSchemas, ...mandatorySchemas])
const classifier = new Classifier(
  schemas.map((schema) => ({ schema, target: schema.metadata.name ?? '' })),
  'none',
)
const user = (username: string, ...groups: string[]): UserInfo => ({ username, groups: [...groups, 'system:authenticated'] })
const of = (group: string, resource: string, namespace = '', subresource = ''): FlowPath => ({
  isResource: true,
  group,
  resource,
  subresource,
  namespace,
})
const node = user('system:node:n1', 'system:nodes')
const account = (namespace: string, name: string): UserInfo =>
  user(`system:serviceaccount:${namespace}:${name}`, 'system:serviceaccounts', `system:serviceaccounts:${namespace}`)

describe('classification by the suggested flow schemas', () => {
  it.each([
    [user('admin', 'system:masters'), 'list', of('', 'pods'), 'exempt'],
    [user('ann'), 'get', { isResource: false, segments: ['readyz'] }, 'probes'],
    [{ username: 'system:anonymous', groups: ['system:unauthenticated'] }, 'get', { isResource: false, segments: ['livez'] }, 'probes'],
    [user('ann'), 'get', { isResource: false, segments: ['version'] }, 'global-default'],
    [user('ann'), 'list', of('', 'pods', 'default'), 'global-default'],
    [node, 'update', of('coordination.k8s.io', 'leases', 'kube-node-lease'), 'system-node-high'],
    [node, 'patch', of('', 'nodes', '', 'status'), 'system-node-high'],
    [node, 'patch', of('', 'pods', 'default', 'status'), 'system-nodes'],
    [user('system:kube-scheduler'), 'update', of('coordination.k8s.io', 'leases', 'kube-system'), 'system-leader-election'],
    [user('system:kube-scheduler'), 'create', of('', 'pods', 'default', 'binding'), 'kube-scheduler'],
    [user('system:kube-controller-manager'), 'create', of('', 'pods', 'default'), 'kube-controller-manager'],
    [account('kube-system', 'endpoint-controller'), 'update', of('', 'endpoints', 'default'), 'endpoint-controller'],
    [account('kube-system', 'x'), 'update', of('', 'configmaps', 'kube-system'), 'workload-leader-election'],
    [account('kube-system', 'x'), 'list', of('', 'configmaps', 'kube-system'), 'kube-system-service-accounts'],
    [account('default', 'robot'), 'list', of('', 'configmaps', 'default'), 'service-accounts'],
    // A prefix of a namespace is another namespace.
    [account('kube-systemic', 'x'), 'list', of('', 'configmaps', 'default'), 'service-accounts'],
    [{ username: 'nobody', groups: [] }, 'get', of('', 'pods', 'default'), 'none'],
  ] as const)('%o %s %o is %s', (who, verb, path, schema) => {
    expect(classifier.classify(who, verb, path as FlowPath)).toBe(schema)
    // The second time the user is known.
    expect(classifier.classify(who, verb, path as FlowPath)).toBe(schema)
  })

  it('asks schemas by precedence, and of equals by name', () => {
    expect(schemas.map(({ metadata }) => metadata.name).slice(0, 2)).toEqual(['exempt', 'probes'])
    expect(schemas.findIndex(({ metadata }) => metadata.name === 'kube-controller-manager')).toBeLessThan(
      schemas.findIndex(({ metadata }) => metadata.name === 'kube-scheduler'),
    )
  })

  it('matches a path below a pattern that ends in /*, a subresource by its own name alone, and no cluster scope by namespaces', () => {
    const rule = (resourceRules: object[], nonResourceRules: object[] = []) =>
      new Classifier(
        [
          {
            schema: {
              apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
              kind: 'FlowSchema',
              metadata: { name: 'a' },
              spec: {
                priorityLevelConfiguration: { name: 'x' },
                rules: [{ subjects: [{ kind: 'User', user: { name: '*' } }], resourceRules, nonResourceRules }],
              },
            } as never,
            target: 'yes',
          },
        ],
        'no',
      )
    const urls = rule([], [{ verbs: ['get'], nonResourceURLs: ['/logs/*'] }])
    expect(urls.classify(user('a'), 'get', { isResource: false, segments: ['logs', 'x'] })).toBe('yes')
    expect(urls.classify(user('a'), 'get', { isResource: false, segments: ['logs'] })).toBe('no')
    const pods = rule([{ verbs: ['*'], apiGroups: [''], resources: ['pods'], namespaces: ['*'] }])
    expect(pods.classify(user('a'), 'get', of('', 'pods', 'b'))).toBe('yes')
    expect(pods.classify(user('a'), 'get', of('', 'pods', 'b', 'status'))).toBe('no')
    expect(pods.classify(user('a'), 'list', of('', 'pods'))).toBe('no')
  })
})
