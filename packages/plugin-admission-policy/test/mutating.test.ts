import { ConfigMap, Deployment } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { configMap, deployment, deploymentRule, startControlPlane } from './control-plane.ts'

const apply = (expression: string) => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } })
const patch = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } })
const onDeployments = { matchConstraints: { resourceRules: [deploymentRule] } }

describe('a mutating policy', () => {
  it('lays an apply configuration over the object, lists by their keys', async () => {
    const { client, mutating } = await startControlPlane()
    await mutating('sidecar', {
      ...onDeployments,
      mutations: [
        apply(`Object{
          metadata: Object.metadata{labels: {'managed': 'yes'}},
          spec: Object.spec{
            replicas: object.spec.replicas + 1,
            template: Object.spec.template{spec: Object.spec.template.spec{
              containers: [Object.spec.template.spec.containers{name: 'mesh', image: 'mesh:1'}]
            }}
          }
        }`),
      ],
    })
    const made = await client.for(Deployment).create(deployment('web', 2, { own: 'x' }))
    expect(made.metadata.labels).toEqual({ own: 'x', managed: 'yes' })
    expect(made.spec?.replicas).toBe(3)
    expect(made.spec?.template.spec?.containers.map(({ name, image }) => `${name} ${image}`)).toEqual(['web web:1', 'mesh mesh:1'])
    expect(made.spec?.template.spec?.containers[1]?.imagePullPolicy).toBe('IfNotPresent')
  })

  it('applies JSON patches, with values written as objects and escaped keys', async () => {
    const { client, mutating } = await startControlPlane()
    await mutating('p', {
      mutations: [
        patch(`[
          JSONPatch{op: 'test', path: '/data/a', value: '1'},
          JSONPatch{op: 'add', path: '/metadata/labels', value: {'x': 'y'}},
          JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('b'), value: object.metadata.name}
        ]`),
      ],
    })
    const made = await client.for(ConfigMap).create(configMap('m', { a: '1' }))
    expect(made).toMatchObject({ data: { a: '1', b: 'm' }, metadata: { labels: { x: 'y' } } })
  })

  it('sees in each mutation what the one before did', async () => {
    const { client, mutating } = await startControlPlane()
    await mutating('p', {
      mutations: [apply("Object{data: {'one': 'x'}}"), apply("Object{data: {'two': object.data.one + 'y'}}")],
    })
    expect((await client.for(ConfigMap).create(configMap('m'))).data).toEqual({ one: 'x', two: 'xy' })
  })

  it('is applied again when something changed after it, if it wants to be', async () => {
    const { client, mutating } = await startControlPlane()
    const count = (key: string) => ({ mutations: [apply(`Object{data: {'${key}': string(size(object.data))}}`)] })
    await mutating('a', { ...count('a'), reinvocationPolicy: 'IfNeeded' })
    await mutating('b', count('b'))
    const made = await client.for(ConfigMap).create(configMap('m', { x: '1' }))
    expect(made.data).toEqual({ x: '1', a: '3', b: '2' })
  })

  it('takes parameters', async () => {
    const { client, mutating } = await startControlPlane()
    await client.for(ConfigMap).create(configMap('defaults', { replicas: '7' }))
    await mutating(
      'p',
      {
        ...onDeployments,
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        mutations: [apply('Object{spec: Object.spec{replicas: int(params.data.replicas)}}')],
      },
      { paramRef: { name: 'defaults', parameterNotFoundAction: 'Deny' } },
    )
    expect((await client.for(Deployment).create(deployment('web', 1))).spec?.replicas).toBe(7)
  })

  it.each([
    [
      'an atomic list',
      "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{tolerations: [Object.spec.template.spec.tolerations{key: 'x'}]}}}}",
      'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.template.spec.tolerations',
    ],
    [
      'a literal in the wrong place',
      'Object{spec: Object.wrong{replicas: 1}}',
      'type mismatch: unexpected type name "Object.wrong", expected "Object.spec"',
    ],
    ['an error', "Object{metadata: Object.metadata{labels: {'x': object.nothing}}}", 'resulted in error: no such key: nothing'],
  ])('is refused, or passed over, for %s', async (_what, expression, message) => {
    const { client, mutating } = await startControlPlane()
    await mutating('lenient', { ...onDeployments, failurePolicy: 'Ignore', mutations: [apply(expression)] })
    await client.for(Deployment).create(deployment('one', 1))
    await mutating('strict', { ...onDeployments, mutations: [apply(expression)] })
    await expect(client.for(Deployment).create(deployment('two', 1))).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining(`policy 'strict' with binding 'strict-b' denied request: `),
      details: { causes: [{ message: expect.stringContaining(message) }] },
    })
  })

  it.each([
    ['an apply configuration that is none', { mutations: [apply("'x'")] }, 'spec.mutations[0].applyConfiguration.expression'],
    ['another root', { mutations: [apply('Object.spec{replicas: 1}')] }, 'must evaluate to Object, but is Object.spec'],
    ['a patch that is none', { mutations: [patch('{}')] }, 'spec.mutations[0].jsonPatch.expression'],
    ['an operation of unknown fields', { mutations: [patch("[JSONPatch{nope: 'x'}]")] }, "undefined field 'nope'"],
  ])('is not stored with %s', async (_what, spec, message) => {
    const { mutating } = await startControlPlane()
    await expect(mutating('p', spec)).rejects.toMatchObject({ reason: 'Invalid', message: expect.stringContaining(message) })
  })
})
