import { Pod, type PodSpec, ServiceAccount } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { serviceAccountAdmission } from '../../src/index.ts'
import { startControlPlane } from '../control-plane.ts'

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'

async function createPod(spec: Partial<PodSpec>, account: Partial<ServiceAccount> = {}, plainHttp = false): Promise<Pod> {
  const plane = await startControlPlane({ more: { admission: serviceAccountAdmission }, plainHttp })
  await plane.client.for(ServiceAccount).create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: spec.serviceAccountName ?? 'default', namespace: 'default' },
    ...account,
  })
  return plane.client.for(Pod).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'x' }], ...spec },
  })
}

describe('a new pod', () => {
  it('gets the account of its namespace and its token, authority and namespace as files', async () => {
    const { spec } = await createPod({ initContainers: [{ name: 'i', image: 'x' }] })
    expect(spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default' })
    const name = spec?.volumes?.[0]?.name ?? ''
    expect(name).toMatch(/^kube-api-access-[a-z0-9]{5}$/)
    expect(spec?.volumes).toEqual([
      {
        name,
        projected: {
          defaultMode: 0o644,
          sources: [
            { serviceAccountToken: { expirationSeconds: 3_607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
          ],
        },
      },
    ])
    for (const container of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])])
      expect(container.volumeMounts, container.name).toEqual([{ name, readOnly: true, mountPath }])
  })

  it('waits for no authority in a cluster that has none', async () => {
    const { spec } = await createPod({}, {}, true)
    expect(spec?.volumes?.[0]?.projected?.sources?.flatMap((source) => Object.keys(source))).toEqual(['serviceAccountToken', 'downwardAPI'])
  })

  it.each<[string, boolean | undefined, boolean | undefined, boolean]>([
    ['neither says', undefined, undefined, true],
    ['the account refuses', undefined, false, false],
    ['the pod refuses', false, true, false],
    ['the pod wants it all the same', true, false, true],
  ])('is told by itself, then by its account, whether it gets one: %s', async (_name, own, account, mounted) => {
    const { spec } = await createPod(
      { ...(own === undefined ? {} : { automountServiceAccountToken: own }) },
      account === undefined ? {} : { automountServiceAccountToken: account },
    )
    expect((spec?.volumes ?? []).length > 0).toBe(mounted)
  })

  it('keeps what a container mounts at that place', async () => {
    const { spec } = await createPod({
      volumes: [{ name: 'own', emptyDir: {} }],
      containers: [
        { name: 'a', image: 'x', volumeMounts: [{ name: 'own', mountPath }] },
        { name: 'b', image: 'x' },
      ],
    })
    expect(spec?.containers[0]?.volumeMounts?.map(({ name }) => name)).toEqual(['own'])
    expect(spec?.containers[1]?.volumeMounts?.[0]?.name).toMatch(/^kube-api-access-/)
  })

  it('takes the pull secrets of its account unless it has its own', async () => {
    const account = { imagePullSecrets: [{ name: 'registry' }] }
    expect((await createPod({}, account)).spec?.imagePullSecrets).toEqual([{ name: 'registry' }])
    expect((await createPod({ imagePullSecrets: [{ name: 'mine' }] }, account)).spec?.imagePullSecrets).toEqual([{ name: 'mine' }])
  })
})

it('refuses a pod whose account does not exist', async () => {
  const plane = await startControlPlane({ more: { admission: serviceAccountAdmission } })
  const pod = (serviceAccountName?: string): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'x' }], ...(serviceAccountName === undefined ? {} : { serviceAccountName }) },
  })
  await expect(plane.client.for(Pod).create(pod('robot'))).rejects.toMatchObject({
    reason: 'Forbidden',
    message: 'pods "web" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found',
  })
  // The first account of a namespace is waited for.
  const [made] = await Promise.all([plane.client.for(Pod).create(pod()), plane.account('default')])
  expect(made.spec?.serviceAccountName).toBe('default')
})
