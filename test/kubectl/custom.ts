import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { cronTabDefinition } from './objects.ts'

/** A kind that comes and goes while kubectl is in use. */
export function customCases(bench: () => Bench): void {
  test('a definition is served as soon as it is established, and forgotten with its objects', async () => {
    const { feed, ok, refused, run, stored, version, cluster } = bench()
    const group = `v${version.replace('.', '-')}.example.com`
    const name = `widgets.${group}`
    const definition = {
      ...cronTabDefinition,
      metadata: { name },
      spec: { ...cronTabDefinition.spec, group, names: { plural: 'widgets', kind: 'Widget' } },
    }
    const widget = (spec: object): object => ({ apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'w' }, spec })
    expect(await refused('get', name)).toContain("the server doesn't have a resource type")
    await feed(definition, 'apply', '--server-side', '-f', '-')
    expect(await ok('wait', `crd/${name}`, '--for=condition=Established', '--timeout=20s')).toContain('condition met')
    expect((await stored('customresourcedefinitions.apiextensions.k8s.io', name)).status.acceptedNames).toMatchObject({
      kind: 'Widget',
      listKind: 'WidgetList',
      singular: 'widget',
    })
    await feed(widget({ cronSpec: '1 * * * *' }), 'apply', '-f', '-')
    expect(await ok('get', name, '-o', 'jsonpath={.items[*].spec.replicas}')).toBe('1')
    expect(await ok('explain', name)).toContain('CronTab runs something at times.')
    expect(await ok('api-resources', `--api-group=${group}`, '-o', 'name')).toBe(`${name}\n`)
    await ok('delete', 'crd', name, '--timeout=30s')
    await eventually(async () => expect((await run(['get', name])).code).toBe(1))
    expect((await cluster.get(`/apis/${group}/v1`)).status).toBe(404)
    await feed(definition, 'create', '-f', '-')
    await ok('wait', `crd/${name}`, '--for=condition=Established', '--timeout=20s')
    await eventually(async () => expect(await ok('get', name, '-o', 'name')).toBe(''))
    await ok('delete', 'crd', name, '--timeout=30s')
  })

  test('a definition with faults names each of them', async () => {
    const { refusedFeed } = bench()
    const fault = await refusedFeed(
      {
        ...cronTabDefinition,
        metadata: { name: 'wrong.name' },
        spec: {
          ...cronTabDefinition.spec,
          group: 'x.example.com',
          versions: [{ name: 'v1', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } } }],
        },
      },
      'create',
      '-f',
      '-',
    )
    expect(fault).toContain('metadata.name: Invalid value: "wrong.name": must be spec.names.plural+"."+spec.group')
    expect(fault).toContain('spec.versions: Invalid value')
    expect(fault).toContain('must have exactly one version marked as storage version')
  })
}
