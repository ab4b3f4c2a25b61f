import { RuntimeClass } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { runtimeClass } from '../../src/index.ts'
import { createPod, startControlPlane } from '../control-plane.ts'

async function start() {
  const plane = await startControlPlane({ classes: runtimeClass })
  await plane.client.for(RuntimeClass).create({
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'vm' },
    handler: 'vm',
    overhead: { podFixed: { cpu: '250m', memory: '120Mi' } },
    scheduling: { nodeSelector: { kvm: 'yes' }, tolerations: [{ key: 'kvm', operator: 'Exists' }] },
  })
  return plane
}

describe('a pod with a runtime class', () => {
  it('gets its overhead and goes where it can run', async () => {
    const { spec } = await createPod(await start(), 'web', { runtimeClassName: 'vm', nodeSelector: { zone: 'a' } })
    expect(spec).toMatchObject({
      overhead: { cpu: '250m', memory: '120Mi' },
      nodeSelector: { zone: 'a', kvm: 'yes' },
      tolerations: [{ key: 'kvm', operator: 'Exists' }],
    })
  })

  it.each([
    [{ runtimeClassName: 'nope' }, 'pod rejected: RuntimeClass "nope" not found'],
    [{ runtimeClassName: 'vm', overhead: { cpu: '1' } }, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"],
    [{ overhead: { cpu: '1' } }, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead'],
    [
      { runtimeClassName: 'vm', nodeSelector: { kvm: 'no' } },
      'conflict: runtimeClass.scheduling.nodeSelector[kvm] = yes; pod.spec.nodeSelector[kvm] = no',
    ],
  ])('is refused where it contradicts it: %j', async (spec, words) => {
    await expect(createPod(await start(), 'web', spec)).rejects.toMatchObject({
      reason: 'Forbidden',
      message: `pods "web" is forbidden: ${words}`,
    })
  })
})
