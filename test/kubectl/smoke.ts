import { expect, test } from 'vitest'
import type { Bench } from './cluster.ts'
import { configMap, cronTab, deployment } from './objects.ts'

/** A short way through all parts, for the versions between those that run the whole list. */
export function smokeCases(bench: () => Bench): void {
  test('applies, shows, rolls out, streams and deletes', async () => {
    const { feed, ok, run, stored, version } = bench()
    expect(await feed([deployment('web'), configMap('cm', { a: '1' }), cronTab('tab')], 'apply', '-f', '-')).toBe(
      'deployment.apps/web created\nconfigmap/cm created\ncrontab.stable.example.com/tab created\n',
    )
    await feed(configMap('cm', { a: '2' }), 'apply', '--server-side', '-f', '-')
    expect((await stored('configmaps', 'cm')).data).toEqual({ a: '2' })
    await ok('rollout', 'status', 'deploy/web', '--timeout=50s')
    await ok('set', 'env', 'deploy/web', 'A=b')
    await ok('rollout', 'status', 'deploy/web', '--timeout=50s')
    await ok('scale', 'ct/tab', '--replicas=2')
    expect((await stored('crontabs.stable.example.com', 'tab')).spec.replicas).toBe(2)
    expect(await ok('get', 'all')).toMatch(/deployment.apps\/web\s+1\/1/)
    expect(await ok('describe', 'deploy', 'web')).toContain('NewReplicaSetAvailable')
    expect(await ok('explain', 'ct.spec.cronSpec')).toContain('The times.')
    const exec = await run(['exec', 'deploy/web', '-i', '--', 'sh', '-c', 'cat; echo "$A" >&2; exit 4'], { input: 'in' })
    expect([exec.code, exec.stdout, exec.stderr]).toEqual([4, 'in', expect.stringMatching(/^b\ncommand terminated with exit code 4\n$/)])
    await ok('create', 'service', 'clusterip', `s-${version.replace('.', '-')}`, '--tcp=80')
    await ok('delete', 'deploy/web', 'cm/cm', 'ct/tab', '--timeout=50s')
    expect(await stored('deployments.apps', 'web')).toBeUndefined()
  })
}
