import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { deployment } from './objects.ts'

const pod = (name: string, requests: Record<string, string> = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'host', command: ['sleep', '300'], resources: { requests } }] },
})

/** A namespace of its own: what one case asks of pods would hold for those of the others, which run at the same time. */
const apart = ({ cluster, version, binary, namespace }: Bench, what: string): Promise<Bench> =>
  cluster.bench(version, binary, `${namespace}-${what}`)

/** Quota, limits, pod security and priority as a user meets them. */
export function admissionCases(bench: () => Bench): void {
  test('a quota is described with what is used, refuses what exceeds it, and gives back what goes', async () => {
    const { ok, feed, refusedFeed } = await apart(bench(), 'quota')
    await ok('create', 'quota', 'small', '--hard=pods=1,requests.cpu=500m,count/deployments.apps=1')
    await eventually(async () => {
      const told = await ok('describe', 'quota', 'small')
      expect(told).toMatch(/count\/deployments\.apps\s+0\s+1\npods\s+0\s+1\nrequests\.cpu\s+0\s+500m/)
    })
    expect(await refusedFeed(pod('silent'), 'create', '-f', '-')).toContain(
      'Error from server (Forbidden): error when creating "STDIN": pods "silent" is forbidden: failed quota: small: must specify requests.cpu for: c',
    )
    await feed(pod('first', { cpu: '100m' }), 'create', '-f', '-')
    expect(await ok('get', 'quota', 'small', '--no-headers')).toMatch(
      /count\/deployments\.apps: 0\/1, pods: 1\/1, requests\.cpu: 100m\/500m/,
    )
    expect(await refusedFeed(pod('second', { cpu: '100m' }), 'create', '-f', '-')).toContain(
      'pods "second" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1',
    )
    await ok('delete', 'pod', 'first', '--grace-period=1')
    await eventually(async () => expect(await ok('describe', 'quota', 'small')).toMatch(/pods\s+0\s+1\nrequests\.cpu\s+0\s+500m/))
    await feed(deployment('one', { replicas: 0 }), 'create', '-f', '-')
    expect(await refusedFeed(deployment('two', { replicas: 0 }), 'create', '-f', '-')).toContain(
      'deployments.apps "two" is forbidden: exceeded quota: small, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1',
    )
  })

  test('limit ranges give defaults and refuse what is beyond them', async () => {
    const { ok, feed, refusedFeed, stored } = await apart(bench(), 'limits')
    const limits = [{ type: 'Container', default: { memory: '64Mi' }, max: { memory: '128Mi' } }]
    await feed({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'limits' }, spec: { limits } }, 'create', '-f', '-')
    expect(await ok('describe', 'limits', 'limits')).toMatch(/Container\s+memory\s+-\s+128Mi\s+64Mi\s+64Mi\s+-/)
    await feed(pod('limited'), 'create', '-f', '-')
    const { metadata, spec } = await stored('pods', 'limited')
    expect(spec.containers[0].resources).toEqual({ limits: { memory: '64Mi' }, requests: { memory: '64Mi' } })
    expect(metadata.annotations['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: memory request for container c; memory limit for container c',
    )
    expect(await refusedFeed(pod('greedy', { memory: '1Gi' }), 'create', '-f', '-')).toContain('must be less than or equal to memory limit')
  })

  test('a restricted namespace warns of what is there, of templates, and refuses pods', async () => {
    const { run, feed, refused, refusedFeed, namespace } = await apart(bench(), 'security')
    await feed(pod('before'), 'create', '-f', '-')
    const label = 'pod-security.kubernetes.io/enforce'
    const labelled = await run(['label', 'namespace', namespace, `${label}=restricted`])
    expect(labelled.stderr).toBe(
      `Warning: existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "restricted:latest"\n` +
        'Warning: before: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile\n',
    )
    const violation =
      'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
    expect(await refusedFeed(pod('after'), 'create', '-f', '-')).toBe(
      `Error from server (Forbidden): error when creating "STDIN": pods "after" is forbidden: violates PodSecurity "restricted:latest": ${violation}\n`,
    )
    const made = await run(['create', 'deployment', 'web', '--image=host', '--replicas=0'])
    expect(made.stdout).toBe('deployment.apps/web created\n')
    expect(made.stderr).toContain(
      'Warning: would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "host"',
    )
    expect(await refused('label', '--overwrite', 'namespace', namespace, `${label}=strict`)).toContain(
      `metadata.labels[${label}]: Invalid value: "strict": must be one of privileged, baseline, restricted`,
    )
  })

  test('pods get the priority of their class; the classes of the system are there to stay', async () => {
    const { feed, stored, refused, refusedFeed } = await apart(bench(), 'priority')
    const named = (name: string, priorityClassName: string) => {
      const made = pod(name) as { spec: object }
      return { ...made, spec: { ...made.spec, priorityClassName } }
    }
    await feed(named('critical', 'system-cluster-critical'), 'create', '-f', '-')
    expect((await stored('pods', 'critical')).spec.priority).toBe(2_000_000_000)
    expect(await refusedFeed(named('nobody', 'nope'), 'create', '-f', '-')).toContain(
      'pods "nobody" is forbidden: no PriorityClass with name nope was found',
    )
    expect(await refused('delete', 'priorityclass', 'system-node-critical')).toContain('Error from server (Forbidden)')
  })
}
