import { type Caller, Namespace, ObjectServiceCap } from '@continuo/core'
import { Deployment, Pod } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { podSecurity } from '../../src/index.ts'
import { type ControlPlane, createPod, pod, startControlPlane } from '../control-plane.ts'

const label = (mode: string): string => `pod-security.kubernetes.io/${mode}`

async function labelled(labels: Record<string, string>, config?: unknown): Promise<ControlPlane> {
  const plane = await startControlPlane({ security: config === undefined ? podSecurity : { plugin: podSecurity, config } })
  await setLabels(plane, labels)
  return plane
}

const setLabels = ({ client }: ControlPlane, labels: Record<string, string>) =>
  client.for(Namespace).patch(
    { namespace: '', name: 'default' },
    {
      type: 'merge',
      body: { metadata: { labels: Object.fromEntries(Object.entries(labels).map(([mode, value]) => [label(mode), value])) } },
    },
  )

/** Writes as a client that hears warnings. */
async function warningsOf(
  { host }: ControlPlane,
  kind: typeof Pod | typeof Deployment | typeof Namespace,
  body: object,
  name = '',
): Promise<string[]> {
  const warnings: string[] = []
  const caller: Caller = { user: { username: 'admin' }, trusted: true, warn: (text) => warnings.push(text) }
  const ref = { group: kind.group, version: kind.version, resource: kind.resource, namespace: kind.namespaced ? 'default' : '', name }
  const service = host.use(ObjectServiceCap)
  // biome-ignore lint/suspicious/noExplicitAny: bodies of several kinds
  if (name === '') await service.create(ref as any, body as any, {}, caller)
  else await service.patch(ref, { type: 'merge', body } as never, {}, caller)
  return warnings
}

const refusal =
  'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'

describe('pods of a labelled namespace', () => {
  it('are refused in the words of Kubernetes', async () => {
    const plane = await labelled({ enforce: 'restricted' })
    await expect(createPod(plane, 'web')).rejects.toMatchObject({
      reason: 'Forbidden',
      message: `pods "web" is forbidden: violates PodSecurity "restricted:latest": ${refusal}`,
    })
    await setLabels(plane, { enforce: 'baseline' })
    await createPod(plane, 'web')
  })

  it('are held to the version that is pinned', async () => {
    const plane = await labelled({ enforce: 'baseline', 'enforce-version': 'v1.33' })
    const spec = { containers: [{ name: 'c', image: 'x', livenessProbe: { httpGet: { port: 80, host: 'h' } } }] }
    await createPod(plane, 'old', spec)
    await setLabels(plane, { 'enforce-version': 'latest' })
    await expect(createPod(plane, 'new', spec)).rejects.toThrow('violates PodSecurity "baseline:latest": probe or lifecycle host')
  })

  it('are warned about, and so are templates, which nothing refuses', async () => {
    const plane = await labelled({ enforce: 'privileged', warn: 'restricted' })
    const words = [`would violate PodSecurity "restricted:latest": ${refusal}`]
    expect(await warningsOf(plane, Pod, pod('web'))).toEqual(words)
    await setLabels(plane, { enforce: 'restricted' })
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } }
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { matchLabels: { a: 'b' } }, template },
    }
    expect(await warningsOf(plane, Deployment, deployment)).toEqual(words)
  })

  it('are told to the audit log, with the level that was enforced', async () => {
    const plane = await labelled({ enforce: 'baseline', audit: 'restricted' })
    const told = new Map<string, string>()
    const caller: Caller = { user: { username: 'admin' }, trusted: true, annotate: (key, value) => void told.set(key, value) }
    const service = plane.host.use(ObjectServiceCap)
    await service.create({ ...Pod, namespace: 'default', name: '' }, pod('web') as never, {}, caller)
    expect([...told]).toEqual([
      [label('enforce-policy'), 'baseline:latest'],
      [label('audit-violations'), `would violate PodSecurity "restricted:latest": ${refusal}`],
    ])
  })

  it('may be updated where nothing that matters changes', async () => {
    const plane = await labelled({})
    await createPod(plane, 'web')
    await setLabels(plane, { enforce: 'restricted' })
    const patch = (body: object) => plane.client.for(Pod).patch({ namespace: 'default', name: 'web' }, { type: 'merge', body })
    await patch({ metadata: { labels: { a: 'b' } } })
    await expect(patch({ spec: { containers: [{ name: 'c', image: 'other' }] } })).rejects.toThrow(
      'violates PodSecurity "restricted:latest"',
    )
  })
})

describe('the labels of a namespace', () => {
  it('must be understood', async () => {
    const plane = await labelled({})
    await expect(setLabels(plane, { enforce: 'strict' })).rejects.toMatchObject({
      reason: 'Invalid',
      message:
        'Namespace "default" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
    })
  })

  it('tell about pods that would not be let in again', async () => {
    const plane = await labelled({})
    await createPod(plane, 'b', { hostNetwork: true })
    await createPod(plane, 'a', { hostNetwork: true })
    await createPod(plane, 'c')
    const body = { metadata: { labels: { [label('enforce')]: 'baseline' } } }
    expect(await warningsOf(plane, Namespace, body, 'default')).toEqual([
      'existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 1 other pod): host namespaces',
    ])
  })
})

it('asks nothing of exempt namespaces, users and runtime classes, and enforces its defaults elsewhere', async () => {
  const plane = await labelled(
    {},
    { enforce: 'baseline', exemptNamespaces: ['kube-system'], exemptUsernames: ['ops'], exemptRuntimeClasses: ['vm'] },
  )
  const spec = { hostNetwork: true }
  await expect(createPod(plane, 'web', spec)).rejects.toThrow('violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)')
  await plane.client.for(Pod).create(pod('web', spec, { namespace: 'kube-system' }))
  await plane.client.as({ username: 'ops' }).for(Pod).create(pod('by-ops', spec))
  await createPod(plane, 'in-vm', { ...spec, runtimeClassName: 'vm' })
})
