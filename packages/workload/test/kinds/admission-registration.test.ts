import { createHost, type KubeObject, memoryStore, type ObjectClient, ObjectClientCap } from '@continuo/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  MutatingAdmissionPolicy,
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
  workloadKinds,
} from '../../src/index.ts'

const host = createHost({
  name: 'api',
  role: 'control-plane',
  leaderElection: false,
  plugins: [
    { slot: 'store', plugin: memoryStore },
    { slot: 'kinds', plugin: workloadKinds },
  ],
})
let client: ObjectClient

beforeAll(async () => {
  await host.start()
  client = host.use(ObjectClientCap)
})
afterAll(() => host.stop())

const apiVersion = 'admissionregistration.k8s.io/v1'
const untyped = <T extends KubeObject>(object: unknown): T => object as T
const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }
const webhook = (more: object = {}) => ({
  name: 'a.b.c',
  clientConfig: { service: { name: 's', namespace: 'n' } },
  rules: [rule],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...more,
})
const mutating = (name: string, more: object = {}) =>
  untyped<MutatingWebhookConfiguration>({ apiVersion, kind: 'MutatingWebhookConfiguration', metadata: { name }, webhooks: [webhook(more)] })
const policy = (name: string, spec: object = {}) =>
  untyped<ValidatingAdmissionPolicy>({
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }], ...spec },
  })

describe('webhook configurations', () => {
  it('get the defaults of Kubernetes and count their generation', async () => {
    const created = await client.for(MutatingWebhookConfiguration).create(mutating('defaults'))
    expect(created.webhooks).toEqual([
      {
        ...webhook(),
        clientConfig: { service: { name: 's', namespace: 'n', port: 443 } },
        rules: [{ ...rule, scope: '*' }],
        failurePolicy: 'Fail',
        matchPolicy: 'Equivalent',
        namespaceSelector: {},
        objectSelector: {},
        reinvocationPolicy: 'Never',
        timeoutSeconds: 10,
      },
    ])
    expect(created.metadata.generation).toBe(1)
    const changed = await client
      .for(MutatingWebhookConfiguration)
      .patch('defaults', { type: 'json', body: [{ op: 'replace', path: '/webhooks/0/timeoutSeconds', value: 3 }] })
    expect(changed.metadata.generation).toBe(2)
    const labelled = await client
      .for(MutatingWebhookConfiguration)
      .patch('defaults', { type: 'merge', body: { metadata: { labels: { a: 'b' } } } })
    expect(labelled.metadata.generation).toBe(2)
  })

  it.each([
    [
      'a short name',
      { name: 'short' },
      'webhooks[0].name: Invalid value: "short": should be a domain with at least three segments separated by dots',
    ],
    [
      'side effects',
      { sideEffects: 'Some' },
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    ],
    [
      'a timeout',
      { timeoutSeconds: 31 },
      'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
    ],
    ['no address', { clientConfig: {} }, 'webhooks[0].clientConfig: Required value: exactly one of url or service is required'],
    [
      'plain http',
      { clientConfig: { url: 'http://x/' } },
      `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
    ],
    [
      'unknown versions of reviews',
      { admissionReviewVersions: ['v2'] },
      'webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
    ],
    [
      'a doubled wildcard',
      { rules: [{ ...rule, resources: ['pods/*', 'pods/status'] }] },
      `webhooks[0].rules[0].resources[1]: Invalid value: "pods/status": if 'pods/*' is present, must not specify pods/status`,
    ],
    [
      'a path without a slash',
      { clientConfig: { service: { name: 's', namespace: 'n', path: 'x' } } },
      `webhooks[0].clientConfig.service.path: Invalid value: "x": must start with a '/'`,
    ],
  ])('refuse %s', async (_what, more, message) => {
    await expect(client.for(MutatingWebhookConfiguration).create(mutating('refused', more))).rejects.toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining(message),
    })
  })

  it('refuse two webhooks of one name', async () => {
    const two = { ...mutating('twice'), kind: 'ValidatingWebhookConfiguration', webhooks: [webhook(), webhook()] }
    await expect(client.for(ValidatingWebhookConfiguration).create(untyped(two))).rejects.toMatchObject({
      message: expect.stringContaining('webhooks[1].name: Duplicate value: "a.b.c"'),
    })
  })
})

describe('policies', () => {
  it('get the defaults of Kubernetes', async () => {
    const created = await client.for(ValidatingAdmissionPolicy).create(policy('defaults'))
    expect(created.spec).toMatchObject({
      failurePolicy: 'Fail',
      matchConstraints: { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, resourceRules: [{ scope: '*' }] },
    })
  })

  it.each([
    ['no rules', { matchConstraints: {} }, 'spec.matchConstraints.resourceRules: Required value'],
    [
      'nothing to validate',
      { validations: [] },
      'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
    ],
    [
      'an unknown reason',
      { validations: [{ expression: 'true', reason: 'Gone' }] },
      'spec.validations[0].reason: Unsupported value: "Gone": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
    ],
    [
      'a variable of a reserved name',
      { variables: [{ name: 'in', expression: '1' }] },
      'spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier',
    ],
  ])('refuse %s', async (_what, spec, message) => {
    await expect(client.for(ValidatingAdmissionPolicy).create(policy('refused', spec))).rejects.toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining(message),
    })
  })

  it('are not bound with both Deny and Warn', async () => {
    const binding = {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'b' },
      spec: { policyName: 'p', validationActions: ['Deny', 'Warn'] },
    }
    await expect(client.for(ValidatingAdmissionPolicyBinding).create(untyped(binding))).rejects.toMatchObject({
      message: expect.stringContaining('must not contain both Deny and Warn'),
    })
  })

  it('that mutate say how, and never match deletions', async () => {
    const bad = {
      apiVersion,
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: 'm' },
      spec: {
        matchConstraints: { resourceRules: [{ ...rule, operations: ['DELETE'] }] },
        mutations: [{ patchType: 'JSONPatch', applyConfiguration: { expression: 'Object{}' } }],
        reinvocationPolicy: 'Never',
      },
    }
    await expect(client.for(MutatingAdmissionPolicy).create(untyped(bad))).rejects.toMatchObject({
      details: {
        causes: expect.arrayContaining([
          expect.objectContaining({ field: 'spec.matchConstraints.resourceRules[0].operations[0]' }),
          expect.objectContaining({ field: 'spec.mutations[0].jsonPatch' }),
          expect.objectContaining({ field: 'spec.mutations[0].applyConfiguration' }),
        ]),
      },
    })
  })
})
