import { LimitRange, PersistentVolumeClaim, type PodSpec } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { limitRanger } from '../../src/index.ts'
import { type ControlPlane, createPod, startControlPlane } from '../control-plane.ts'

type Limit = NonNullable<LimitRange['spec']>['limits'][number]

async function limited(...limits: Limit[]): Promise<ControlPlane> {
  const plane = await startControlPlane({ limits: limitRanger })
  await plane.client
    .for(LimitRange)
    .create({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'l', namespace: 'default' }, spec: { limits } })
  return plane
}

const asks = (requests: Record<string, string>, limits: Record<string, string> = {}): Partial<PodSpec> => ({
  containers: [{ name: 'c', image: 'x', resources: { requests, limits } }],
})

describe('defaults', () => {
  it('fill what containers do not say, and are noted on the pod', async () => {
    const plane = await limited({ type: 'Container', default: { cpu: '1', memory: '1Gi' }, defaultRequest: { cpu: '500m' } })
    const { spec, metadata } = await createPod(plane, 'web', {
      containers: [{ name: 'c', image: 'x', resources: { limits: { cpu: '2' } } }],
      initContainers: [{ name: 'i', image: 'x' }],
    })
    expect(spec?.containers[0]?.resources).toEqual({ requests: { cpu: '2', memory: '1Gi' }, limits: { cpu: '2', memory: '1Gi' } })
    expect(spec?.initContainers?.[0]?.resources).toEqual({ requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } })
    expect(metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: memory request for container c; memory limit for container c; cpu, memory request for init container i; cpu, memory limit for init container i',
    )
  })
})

describe('bounds', () => {
  it.each<[string, Limit, Partial<PodSpec>, string]>([
    [
      'below the minimum',
      { type: 'Container', min: { cpu: '100m' }, default: { cpu: '1' } },
      asks({ cpu: '50m' }),
      'minimum cpu usage per Container is 100m, but request is 50m',
    ],
    [
      'above the maximum',
      { type: 'Container', max: { memory: '1Gi' } },
      asks({}, { memory: '2Gi' }),
      'maximum memory usage per Container is 1Gi, but limit is 2Gi',
    ],
    [
      'no limit for a pod',
      { type: 'Pod', max: { cpu: '1' } },
      asks({ cpu: '1' }),
      'maximum cpu usage per Pod is 1.  No limit is specified',
    ],
    ['no request for a pod', { type: 'Pod', min: { cpu: '1' } }, asks({}), 'minimum cpu usage per Pod is 1.  No request is specified'],
    [
      'too much burst',
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      asks({ cpu: '1' }, { cpu: '3' }),
      'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    ],
    [
      'a pod in sum',
      { type: 'Pod', max: { cpu: '1' } },
      { containers: ['a', 'b'].map((name) => ({ name, image: 'x', resources: { limits: { cpu: '600m' } } })) },
      'maximum cpu usage per Pod is 1, but limit is 1200m',
    ],
  ])('refuse %s', async (_name, limit, spec, words) => {
    await expect(createPod(await limited(limit), 'web', spec)).rejects.toMatchObject({
      reason: 'Forbidden',
      message: `pods "web" is forbidden: ${words}`,
    })
  })

  it('name every fault', async () => {
    const plane = await limited({ type: 'Pod', max: { cpu: '1', memory: '1Gi' } })
    await expect(createPod(plane, 'web', asks({}, { cpu: '2', memory: '2Gi' }))).rejects.toThrow(
      'pods "web" is forbidden: [maximum cpu usage per Pod is 1, but limit is 2, maximum memory usage per Pod is 1Gi, but limit is 2Gi]',
    )
  })

  it('count a sidecar with the containers and an init container by itself', async () => {
    const plane = await limited({ type: 'Pod', max: { cpu: '2' } })
    const of = (cpu: string) => ({ image: 'x', resources: { limits: { cpu } } })
    await createPod(plane, 'fits', { containers: [{ name: 'c', ...of('1') }], initContainers: [{ name: 'i', ...of('2') }] })
    await expect(
      createPod(plane, 'sidecar', {
        containers: [{ name: 'c', ...of('1') }],
        initContainers: [
          { name: 's', restartPolicy: 'Always', ...of('500m') },
          { name: 'i', ...of('2') },
        ],
      }),
    ).rejects.toThrow('maximum cpu usage per Pod is 2, but limit is 2500m')
  })

  it('hold for what claims request', async () => {
    const plane = await limited({ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } })
    const claim = (storage: string) =>
      plane.client.for(PersistentVolumeClaim).create({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data', namespace: 'default' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
      })
    await expect(claim('3Gi')).rejects.toThrow(
      'persistentvolumeclaims "data" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
    )
    await expect(claim('500Mi')).rejects.toThrow('minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi')
    await claim('1Gi')
  })
})
