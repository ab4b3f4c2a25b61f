import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { deployment, idle, shell } from './objects.ts'

const quick = { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }

/** `rollout` in all its subcommands. */
export function rolloutCases(bench: () => Bench): void {
  test('rollout status follows an update to its end; history and undo know the revisions', async () => {
    const { feed, ok, stored } = bench()
    const image = async (): Promise<string> => (await stored('deployments.apps', 'web')).spec.template.spec.containers[0].image
    await feed(deployment('web', { replicas: 2, spec: quick }), 'create', '-f', '-')
    expect(await ok('rollout', 'status', 'deploy/web', '--timeout=50s')).toContain('deployment "web" successfully rolled out')
    await ok('annotate', 'deploy/web', 'kubernetes.io/change-cause=first')
    await ok('set', 'image', 'deploy/web', 'main=host:v2')
    const told = await ok('rollout', 'status', 'deploy/web', '--timeout=50s')
    expect(told).toMatch(/Waiting for deployment "web" rollout to finish: .*\n[\s\S]*deployment "web" successfully rolled out\n$/)
    await ok('annotate', 'deploy/web', 'kubernetes.io/change-cause=second', '--overwrite')
    await eventually(async () =>
      expect(await ok('rollout', 'history', 'deploy/web')).toBe(
        'deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         first\n2         second\n\n',
      ),
    )
    expect(await ok('rollout', 'history', 'deploy/web', '--revision=1')).toMatch(/with revision #1\nPod Template:[\s\S]*Image:\s+host\n/)
    expect(await ok('rollout', 'undo', 'deploy/web')).toBe('deployment.apps/web rolled back\n')
    await ok('rollout', 'status', 'deploy/web', '--timeout=50s')
    expect(await image()).toBe('host')
    expect((await stored('deployments.apps', 'web')).metadata.annotations['deployment.kubernetes.io/revision']).toBe('3')
    await ok('rollout', 'undo', 'deploy/web', '--to-revision=2')
    await eventually(async () => expect(await image()).toBe('host:v2'))
    await ok('rollout', 'pause', 'deploy/web')
    expect(await bench().refused('rollout', 'undo', 'deploy/web')).toContain('you cannot rollback a paused deployment')
    await ok('rollout', 'resume', 'deploy/web')
    expect(await bench().refused('rollout', 'undo', 'deploy/web', '--to-revision=99')).toContain(
      'unable to find specified revision 99 in history',
    )
  })

  test('rollout pause holds changes back, resume lets them go, restart replaces the pods', async () => {
    const { feed, ok, refused, stored, cluster, namespace } = bench()
    const pods = async (): Promise<string[]> =>
      (await cluster.get(`/api/v1/namespaces/${namespace}/pods?labelSelector=app%3Dpaused`)).body.items.map(
        (item: { metadata: { name: string } }) => item.metadata.name,
      )
    await feed(deployment('paused', { spec: quick }), 'create', '-f', '-')
    await ok('rollout', 'status', 'deploy/paused', '--timeout=50s')
    const [before] = await pods()
    expect(await ok('rollout', 'pause', 'deploy/paused')).toBe('deployment.apps/paused paused\n')
    expect(await refused('rollout', 'pause', 'deploy/paused')).toContain('deployments.apps "paused" is already paused')
    expect(await refused('rollout', 'restart', 'deploy/paused')).toContain("can't restart paused deployment")
    await ok('set', 'env', 'deploy/paused', 'A=b')
    await eventually(async () => {
      const { metadata, status } = await stored('deployments.apps', 'paused')
      expect(status.observedGeneration).toBe(metadata.generation)
    })
    expect(await pods()).toEqual([before])
    expect(await ok('rollout', 'resume', 'deploy/paused')).toBe('deployment.apps/paused resumed\n')
    await ok('rollout', 'status', 'deploy/paused', '--timeout=50s')
    await eventually(async () => expect(await pods()).not.toContain(before))
    const [resumed] = await pods()
    expect(await ok('rollout', 'restart', 'deploy/paused')).toBe('deployment.apps/paused restarted\n')
    await ok('rollout', 'status', 'deploy/paused', '--timeout=50s')
    expect((await stored('deployments.apps', 'paused')).spec.template.metadata.annotations).toHaveProperty([
      'kubectl.kubernetes.io/restartedAt',
    ])
    await eventually(async () => expect(await pods()).not.toContain(resumed))
  })

  test('a rollout of an image that does not exist stops, says why, and is undone', async () => {
    const { feed, ok, run, stored } = bench()
    await feed(deployment('broken', { replicas: 2, spec: { ...quick, progressDeadlineSeconds: 3 } }), 'create', '-f', '-')
    await ok('rollout', 'status', 'deploy/broken', '--timeout=50s')
    await ok('set', 'image', 'deploy/broken', 'main=registry.example.com/none:1')
    const stuck = await run(['rollout', 'status', 'deploy/broken', '--timeout=40s'])
    expect([stuck.code, stuck.stderr]).toEqual([1, expect.stringContaining('error: deployment "broken" exceeded its progress deadline')])
    expect((await stored('deployments.apps', 'broken')).status).toMatchObject({ availableReplicas: 2, replicas: 3, updatedReplicas: 1 })
    expect(await ok('get', 'pods', '-l', 'app=broken')).toMatch(/0\/1\s+(ErrImagePull|ImagePullBackOff)/)
    expect(await ok('describe', 'pods', '-l', 'app=broken')).toMatch(/Warning\s+Failed\s+.*registry\.example\.com\/none:1/)
    await ok('rollout', 'undo', 'deploy/broken')
    await ok('rollout', 'status', 'deploy/broken', '--timeout=50s')
    await eventually(async () =>
      expect((await stored('deployments.apps', 'broken')).status).toMatchObject({ availableReplicas: 2, replicas: 2 }),
    )
  })

  test('wait sees conditions, values of fields and deletions', async () => {
    const { feed, ok, run } = bench()
    await feed(deployment('waited'), 'create', '-f', '-')
    expect(await ok('wait', 'deploy/waited', '--for=condition=Available', '--timeout=40s')).toBe('deployment.apps/waited condition met\n')
    expect(await ok('wait', 'deploy/waited', '--for=jsonpath={.status.readyReplicas}=1', '--timeout=40s')).toBe(
      'deployment.apps/waited condition met\n',
    )
    expect(await ok('wait', 'crd/crontabs.stable.example.com', '--for=condition=established', '--timeout=10s')).toContain('condition met')
    const late = await run(['wait', 'deploy/waited', '--for=condition=Progressing=False', '--timeout=1s'])
    expect([late.code, late.stderr]).toEqual([1, 'error: timed out waiting for the condition on deployments/waited\n'])
    const gone = ok('wait', 'deploy/waited', '--for=delete', '--timeout=40s')
    await ok('delete', 'deploy', 'waited')
    await gone
  })

  test('a pod that fails is shown as it fails', async () => {
    const { feed, ok } = bench()
    await feed(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'crash' },
        spec: { terminationGracePeriodSeconds: 1, containers: [shell('exit 3'), { ...shell(idle), name: 'side' }] },
      },
      'create',
      '-f',
      '-',
    )
    await eventually(async () => expect(await ok('get', 'pod', 'crash')).toMatch(/crash\s+1\/2\s+CrashLoopBackOff\s+[1-9]/), 40_000)
    expect(await ok('describe', 'pod', 'crash')).toMatch(/Last State:\s+Terminated\n\s+Reason:\s+Error\n\s+Exit Code:\s+3/)
    expect(await ok('describe', 'pod', 'crash')).toMatch(/Warning\s+BackOff/)
  })
}
