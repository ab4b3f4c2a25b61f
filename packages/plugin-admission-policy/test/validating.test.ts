import { CustomResourceDefinition, definePlugin } from '@continuo/core'
import { type AccessAttributes, AccessGateCap, ConfigMap, Deployment, ValidatingAdmissionPolicy } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { configMap, deployment, eventually, startControlPlane, untyped } from './control-plane.ts'

const atMostFive = { validations: [{ expression: 'object.spec.replicas <= 5' }], matchConstraints: undefined }
const onDeployments = {
  matchConstraints: {
    resourceRules: [{ operations: ['CREATE', 'UPDATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }],
  },
}

describe('a validating policy', () => {
  it('denies in the words of Kubernetes, from the moment it is bound', async () => {
    const { client, validating } = await startControlPlane()
    await validating('demo.example.com', { ...atMostFive, ...onDeployments })
    const by =
      "ValidatingAdmissionPolicy 'demo.example.com' with binding 'demo.example.com-b' denied request: failed expression: object.spec.replicas <= 5"
    await expect(client.for(Deployment).create(deployment('web', 6))).rejects.toMatchObject({
      reason: 'Invalid',
      status: 422,
      message: `deployments.apps "web" is forbidden: ${by}`,
      details: { name: 'web', group: 'apps', kind: 'deployments', causes: [{ message: by }] },
    })
    await client.for(Deployment).create(deployment('web', 5))
  })

  it('says what it was told to say, for the reason it was told', async () => {
    const { client, validating } = await startControlPlane()
    await validating('p', {
      validations: [
        { expression: "object.metadata.name != 'a'", message: 'not a', reason: 'Forbidden' },
        {
          expression: "object.metadata.name != 'b'",
          messageExpression: "'not ' + object.metadata.name + ' in ' + request.namespace",
          message: 'x',
        },
        { expression: "object.metadata.name != 'c'", messageExpression: 'object.data.none', message: 'fallback' },
      ],
    })
    const refusal = (name: string) =>
      client
        .for(ConfigMap)
        .create(configMap(name))
        .catch((error) => error)
    expect(await refusal('a')).toMatchObject({ status: 403, reason: 'Forbidden', message: expect.stringMatching(/denied request: not a$/) })
    expect(await refusal('b')).toMatchObject({ status: 422, message: expect.stringMatching(/denied request: not b in default$/) })
    expect(await refusal('c')).toMatchObject({ message: expect.stringMatching(/denied request: fallback$/) })
  })

  it('sees the old object, the namespace and variables that build on each other', async () => {
    const { client, validating } = await startControlPlane()
    await validating('p', {
      variables: [
        { name: 'ns', expression: 'namespaceObject.metadata.name' },
        { name: 'full', expression: "variables.ns + '/' + object.metadata.name" },
        { name: 'neverNeeded', expression: 'object.nowhere.to.be.found' },
      ],
      validations: [
        {
          expression: "request.operation == 'CREATE' ? oldObject == null : oldObject.data.a == object.data.a",
          message: 'a may not change',
        },
        { expression: "variables.full != 'default/forbidden'", messageExpression: "variables.full + ' is not for you'" },
      ],
    })
    await client.for(ConfigMap).create(configMap('m', { a: '1' }))
    await expect(client.for(ConfigMap).patch('default/m', { type: 'merge', body: { data: { a: '2' } } })).rejects.toMatchObject({
      message: expect.stringContaining('a may not change'),
    })
    await expect(client.for(ConfigMap).create(configMap('forbidden'))).rejects.toMatchObject({
      message: expect.stringContaining('denied request: default/forbidden is not for you'),
    })
  })

  it('is evaluated only where its conditions hold', async () => {
    const { client, validating } = await startControlPlane()
    await validating('p', {
      matchConditions: [{ name: 'not-ann', expression: "request.userInfo.username != 'ann'" }],
      validations: [{ expression: 'false' }],
    })
    await client.as({ username: 'ann' }).for(ConfigMap).create(configMap('by-ann'))
    await expect(client.as({ username: 'bob' }).for(ConfigMap).create(configMap('by-bob'))).rejects.toMatchObject({ status: 422 })
  })

  it('warns and audits where its binding says so, and lets the request pass', async () => {
    const { service, validating } = await startControlPlane()
    await validating(
      'p',
      {
        validations: [{ expression: 'false', message: 'tut' }],
        auditAnnotations: [{ key: 'size', valueExpression: 'string(size(object.data))' }],
      },
      { validationActions: ['Warn', 'Audit'] },
    )
    const warnings: string[] = []
    const annotations: Record<string, string> = {}
    const ref = { group: '', version: 'v1', resource: 'configmaps', namespace: 'default', name: 'm' }
    await service.create(
      ref,
      untyped(configMap('m', { a: '1' })),
      {},
      {
        user: { username: 'ann' },
        trusted: true,
        warn: (text) => void warnings.push(text),
        annotate: (key, value) => {
          annotations[key] = value
        },
      },
    )
    expect(warnings).toEqual(["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p-b': tut"])
    expect(annotations).toEqual({
      'p/size': '1',
      'validation.policy.admission.k8s.io/validation_failure': JSON.stringify([
        { message: 'tut', policy: 'p', binding: 'p-b', expressionIndex: 0, validationActions: ['Warn', 'Audit'] },
      ]),
    })
  })

  it('that fails denies or is passed over, as it says', async () => {
    const { client, validating } = await startControlPlane()
    const failing = { validations: [{ expression: "object.data.missing == 'x'" }] }
    await validating('lenient', { ...failing, failurePolicy: 'Ignore' })
    await client.for(ConfigMap).create(configMap('a'))
    await validating('strict', failing)
    await expect(client.for(ConfigMap).create(configMap('b'))).rejects.toMatchObject({
      message: expect.stringContaining("denied request: expression 'object.data.missing == 'x'' resulted in error: no such key: missing"),
    })
  })

  it('cannot cost more than its budget', async () => {
    const { client, validating } = await startControlPlane()
    const expression = `${'[0,1,2,3,4,5,6,7,8,9].all(a, '.replaceAll('a', 'a')}[0,1,2,3,4,5,6,7,8,9].all(b, [0,1,2,3,4,5,6,7,8,9].all(c, [0,1,2,3,4,5,6,7,8,9].all(d, [0,1,2,3,4,5,6,7,8,9].all(e, [0,1,2,3,4,5,6,7,8,9].all(f, true))))))`
    await validating('dear', { validations: [{ expression }] })
    await expect(client.for(ConfigMap).create(configMap('a'))).rejects.toMatchObject({
      message: expect.stringContaining('operation cancelled: actual cost limit exceeded'),
    })
  })

  it('never holds up policies and their bindings', async () => {
    const { client, validating } = await startControlPlane()
    await validating('all', {
      matchConstraints: { resourceRules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }] },
      validations: [{ expression: 'false' }],
    })
    await expect(client.for(ConfigMap).create(configMap('a'))).rejects.toMatchObject({ status: 422 })
    await client.for(ValidatingAdmissionPolicy).delete('all')
    await client.for(ConfigMap).create(configMap('a'))
  })
})

describe('parameters', () => {
  const limited = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    validations: [
      { expression: 'params == null || object.spec.replicas <= int(params.data.max)', messageExpression: "'at most ' + params.data.max" },
    ],
    ...onDeployments,
  }

  it('are looked up by name, in the namespace that the binding names or in that of the request', async () => {
    const { client, validating } = await startControlPlane()
    await client.for(ConfigMap).create(configMap('limit', { max: '3' }))
    await validating('p', limited, { paramRef: { name: 'limit', parameterNotFoundAction: 'Deny' } })
    await client.for(Deployment).create(deployment('small', 3))
    await expect(client.for(Deployment).create(deployment('big', 4))).rejects.toMatchObject({
      message: expect.stringContaining('denied request: at most 3'),
    })
    await client.for(ConfigMap).patch('default/limit', { type: 'merge', body: { data: { max: '4' } } })
    await client.for(Deployment).create(deployment('big', 4))
  })

  it('are all that a selector chooses', async () => {
    const { client, validating } = await startControlPlane()
    await client.for(ConfigMap).create(configMap('wide', { max: '9' }, { labels: { limit: 'yes' } }))
    await client.for(ConfigMap).create(configMap('narrow', { max: '2' }, { labels: { limit: 'yes' } }))
    await validating('p', limited, { paramRef: { selector: { matchLabels: { limit: 'yes' } }, parameterNotFoundAction: 'Allow' } })
    await expect(client.for(Deployment).create(deployment('web', 3))).rejects.toMatchObject({
      message: expect.stringContaining('at most 2'),
    })
  })

  it('are custom resources as well, and so is what they are about', async () => {
    const { client, validating } = await startControlPlane()
    const definition = (plural: string, kind: string) => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.rules.example.com` },
      spec: {
        group: 'rules.example.com',
        scope: 'Namespaced',
        names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { max: { type: 'integer' }, size: { type: 'integer' } } } },
          },
        ],
      },
    })
    await client.for(CustomResourceDefinition).create(untyped(definition('limits', 'Limit')))
    await client.for(CustomResourceDefinition).create(untyped(definition('boxes', 'Box')))
    const rules = { group: 'rules.example.com', version: 'v1' }
    const [limits, boxes] = await eventually(() =>
      Promise.all([client.resource({ ...rules, resource: 'limits' }), client.resource({ ...rules, resource: 'boxes' })]),
    )
    const custom = (kind: string, name: string, more: object) =>
      untyped({ apiVersion: 'rules.example.com/v1', kind, metadata: { name, namespace: 'default' }, ...more })
    await eventually(() => limits.create(custom('Limit', 'strict', { max: 3 }) as never))
    await validating(
      'p',
      {
        paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Limit' },
        matchConstraints: {
          resourceRules: [{ operations: ['CREATE'], apiGroups: ['rules.example.com'], apiVersions: ['v1'], resources: ['boxes'] }],
        },
        validations: [{ expression: 'object.size <= params.max' }],
      },
      { paramRef: { name: 'strict', namespace: 'default', parameterNotFoundAction: 'Deny' } },
    )
    await boxes.create(custom('Box', 'small', { size: 3 }) as never)
    await expect(boxes.create(custom('Box', 'big', { size: 4 }) as never)).rejects.toMatchObject({
      message: expect.stringContaining('boxes.rules.example.com "big" is forbidden: '),
    })
  })

  it('that are missing deny or are passed over, as the binding says', async () => {
    const { client, validating } = await startControlPlane()
    await validating('a', limited, { paramRef: { name: 'none', parameterNotFoundAction: 'Allow' } })
    await client.for(Deployment).create(deployment('one', 3))
    await validating('b', limited, { paramRef: { name: 'none', parameterNotFoundAction: 'Deny' } })
    await expect(client.for(Deployment).create(deployment('two', 3))).rejects.toMatchObject({
      message: expect.stringContaining(
        "ValidatingAdmissionPolicy 'b' with binding 'b-b' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
      ),
    })
  })

  it('of a kind that is not served are a fault of the policy', async () => {
    const { client, validating } = await startControlPlane()
    await validating('p', { ...limited, paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Limit' } })
    await expect(client.for(Deployment).create(deployment('web', 1))).rejects.toMatchObject({
      message: expect.stringContaining(
        "ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Limit'",
      ),
    })
  })
})

describe('the authorizer', () => {
  const gate = (answer: (asked: AccessAttributes) => boolean, later = false) =>
    definePlugin({
      name: 'gate',
      api: '^1',
      provides: [AccessGateCap],
      setup: (ctx) =>
        ctx.provide(AccessGateCap, {
          authorize(asked) {
            const decided = { decision: answer(asked) ? ('allow' as const) : ('none' as const), reason: 'says the gate' }
            return later ? Promise.resolve(decided) : decided
          },
          authenticate: async () => undefined,
        }),
    })

  it.each([['at once', false] as const, ['later', true] as const])(
    'is asked for the user of the request, when it decides %s',
    async (_when, later) => {
      const asked: AccessAttributes[] = []
      const { client, validating } = await startControlPlane({
        gate: gate((question) => {
          asked.push(question)
          return question.user.username === 'ann'
        }, later),
      })
      await validating('p', {
        validations: [
          { expression: "authorizer.group('apps').resource('deployments').namespace('prod').name('web').check('delete').allowed()" },
          { expression: "authorizer.requestResource.check('create').reason() == 'says the gate'" },
        ],
      })
      await client.as({ username: 'ann' }).for(ConfigMap).create(configMap('by-ann'))
      expect(asked).toEqual([
        expect.objectContaining({
          verb: 'delete',
          group: 'apps',
          resource: 'deployments',
          namespace: 'prod',
          name: 'web',
          isResource: true,
        }),
        expect.objectContaining({ verb: 'create', group: '', resource: 'configmaps', namespace: 'default', name: 'by-ann' }),
      ])
      await expect(client.as({ username: 'bob' }).for(ConfigMap).create(configMap('by-bob'))).rejects.toMatchObject({ status: 422 })
    },
  )

  it('is asked for service accounts and paths', async () => {
    const asked: AccessAttributes[] = []
    const { client, validating } = await startControlPlane({
      gate: gate((question) => {
        asked.push(question)
        return true
      }),
    })
    await validating('p', {
      validations: [{ expression: "authorizer.serviceAccount('ci', 'bot').path('/healthz').check('get').allowed()" }],
    })
    await client.as({ username: 'ann' }).for(ConfigMap).create(configMap('m'))
    expect(asked).toEqual([
      expect.objectContaining({
        isResource: false,
        path: '/healthz',
        user: expect.objectContaining({ username: 'system:serviceaccount:ci:bot' }),
      }),
    ])
  })
})

describe('expressions', () => {
  it.each([
    [
      'that do not parse',
      { validations: [{ expression: 'object.' }] },
      'spec.validations[0].expression: Invalid value: "object.": compilation failed: ERROR: <input>:1:8',
    ],
    ['of another type', { validations: [{ expression: '1' }] }, 'must evaluate to bool'],
    ['that name nothing', { validations: [{ expression: 'nothing' }] }, "undeclared reference to 'nothing'"],
    [
      'that name variables too early',
      {
        variables: [
          { name: 'a', expression: 'variables.b' },
          { name: 'b', expression: '1' },
        ],
        validations: [{ expression: 'true' }],
      },
      'spec.variables[0].expression',
    ],
    [
      'that want parameters that the policy has not',
      { validations: [{ expression: 'params == null' }] },
      "undeclared reference to 'params'",
    ],
  ])('%s are refused', async (_what, spec, message) => {
    const { validating } = await startControlPlane()
    await expect(validating('p', spec)).rejects.toMatchObject({ reason: 'Invalid', message: expect.stringContaining(message) })
  })

  it('that cannot be right for a matched type are told in the status', async () => {
    const { client, validating } = await startControlPlane()
    await validating('p', { validations: [{ expression: 'object.spec.replicass > 1' }], ...onDeployments })
    const policy = await eventually(async () => {
      const found = await client.for(ValidatingAdmissionPolicy).get('p')
      expect(found.status?.observedGeneration).toBe(1)
      return found
    })
    expect(policy.status?.typeChecking?.expressionWarnings).toEqual([
      {
        fieldRef: 'spec.validations[0].expression',
        warning: expect.stringContaining("apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replicass'"),
      },
    ])
  })

  it('that are right leave the status without warnings', async () => {
    const { client, validating } = await startControlPlane()
    await validating('p', { validations: [{ expression: 'object.spec.replicas > 1' }], ...onDeployments })
    await eventually(async () => {
      const { status } = await client.for(ValidatingAdmissionPolicy).get('p')
      expect(status).toMatchObject({ observedGeneration: 1, typeChecking: {} })
    })
  })
})

it('counts evaluations under the names of Kubernetes', async () => {
  const { client, validating, metrics } = await startControlPlane()
  await validating('p', { validations: [{ expression: "object.metadata.name != 'bad'" }] })
  await client.for(ConfigMap).create(configMap('good'))
  await client
    .for(ConfigMap)
    .create(configMap('bad'))
    .catch(() => {})
  const text = await metrics()
  expect(text).toContain(
    'apiserver_validating_admission_policy_check_total{policy="p",policy_binding="p-b",error_type="no_error",enforcement_action="allow"} 1',
  )
  expect(text).toContain(
    'apiserver_validating_admission_policy_check_total{policy="p",policy_binding="p-b",error_type="no_error",enforcement_action="deny"} 1',
  )
})
