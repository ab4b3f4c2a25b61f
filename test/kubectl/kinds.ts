import { expect, test } from 'vitest'
import type { Bench } from './cluster.ts'

/** The kinds beside those of everyday use: columns, explanations and refusals. Names of cluster-scoped objects bear the namespace. */
export function kindCases(bench: () => Bench): void {
  const header = (text: string): string[] => (text.split('\n')[0] ?? '').split(/\s{2,}/)

  test('devices: a class, a claim and a slice', async () => {
    const { ok, feed, refusedFeed, namespace } = bench()
    const resource = (kind: string, name: string, spec: object) => ({ apiVersion: 'resource.k8s.io/v1', kind, metadata: { name }, spec })
    const claim = (requests: object[]) => resource('ResourceClaim', 'claim', { devices: { requests } })
    await feed(
      [
        resource('DeviceClass', namespace, { selectors: [{ cel: { expression: 'true' } }] }),
        claim([{ name: 'gpu', exactly: { deviceClassName: namespace } }]),
        resource('ResourceSlice', namespace, {
          driver: 'gpu.example.com',
          nodeName: 'n',
          pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
        }),
      ],
      'create',
      '-f',
      '-',
    )
    expect((await ok('get', 'resourceclaims', 'claim')).split('\n')[1]).toMatch(/^claim\s+pending\s+\d+s$/)
    expect((await ok('get', 'resourceslices', '--field-selector', 'spec.driver=gpu.example.com', '-o', 'name')).split('\n')).toContain(
      `resourceslice.resource.k8s.io/${namespace}`,
    )
    expect(
      await refusedFeed(resource('ResourceClaim', 'bad', { devices: { requests: [{ name: 'gpu' }] } }), 'create', '-f', '-'),
    ).toContain('spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required')
    await ok('delete', 'deviceclass,resourceslice', namespace)
  })

  test('storage: drivers and classes of attributes, whose parameters stay', async () => {
    const { ok, feed, refused, namespace } = bench()
    const storage = (kind: string, rest: object) => ({ apiVersion: 'storage.k8s.io/v1', kind, metadata: { name: namespace }, ...rest })
    await feed(
      [storage('CSIDriver', { spec: {} }), storage('VolumeAttributesClass', { driverName: 'd.io', parameters: { iops: '5' } })],
      'create',
      '-f',
      '-',
    )
    expect(header(await ok('get', 'csidriver', namespace))).toEqual([
      'NAME',
      'ATTACHREQUIRED',
      'PODINFOONMOUNT',
      'STORAGECAPACITY',
      'TOKENREQUESTS',
      'REQUIRESREPUBLISH',
      'MODES',
      'AGE',
    ])
    expect(header(await ok('get', 'vac', namespace))).toEqual(['NAME', 'DRIVERNAME', 'AGE'])
    expect(await refused('patch', 'vac', namespace, '--type', 'merge', '-p', '{"parameters":{"iops":"6"}}')).toContain(
      'parameters: Forbidden: updates to parameters are forbidden.',
    )
    await ok('delete', 'csidriver,vac', namespace)
  })

  test('explain knows their fields', async () => {
    const { ok } = bench()
    for (const field of ['ipaddress.spec.parentRef', 'servicecidr.spec.cidrs', 'apiservice.spec.service', 'csinode.spec.drivers'])
      expect(await ok('explain', field)).toContain('DESCRIPTION:')
  })

  test('component statuses are answered, with a warning', async () => {
    const { run } = bench()
    const { code, stdout, stderr } = await run(['get', 'componentstatuses'])
    expect([code, header(stdout)]).toEqual([0, ['NAME', 'STATUS', 'MESSAGE', 'ERROR']])
    expect(stderr).toContain('v1 ComponentStatus is deprecated in v1.19+')
  })
}
