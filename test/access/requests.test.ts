import { Node, Pod, Secret } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { root, startAccessApi } from './access-api.ts'

const secrets = '/api/v1/namespaces/default/secrets'
const rbac = '/apis/rbac.authorization.k8s.io/v1'

describe('a service account', () => {
  it('may what its bindings say, from its token on, and nothing without them', async () => {
    const api = await startAccessApi()
    const token = await api.tokenOf('robot')
    const get = async (path: string) => (await api.send('GET', path, { token })).status
    expect(await get('/version')).toBe(200)
    expect(await get('/apis')).toBe(200)
    expect(await get('/openid/v1/jwks')).toBe(200)
    expect(await get(secrets)).toBe(403)
    const binding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'edit' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }],
    }
    expect((await api.send('POST', `${rbac}/namespaces/default/rolebindings`, root, binding)).status).toBe(201)
    await eventually(async () => expect(await get(secrets)).toBe(200))
    expect(await get('/api/v1/namespaces/kube-system/secrets')).toBe(403)
    expect(await get('/api/v1/secrets')).toBe(403)
    await api.send('DELETE', `${rbac}/namespaces/default/rolebindings/edit`, root)
    await eventually(async () => expect(await get(secrets)).toBe(403))
  })

  it('does not make itself an administrator', async () => {
    const api = await startAccessApi()
    const token = await api.tokenOf('robot')
    const bindings = `${rbac}/namespaces/default/rolebindings`
    const give = (name: string, asker: object) =>
      api.send('POST', bindings, asker, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }],
      })
    await give('admin', root)
    await eventually(async () => expect((await api.send('GET', bindings, { token })).status).toBe(200))
    expect((await give('edit', { token })).status).toBe(201)
    expect(await give('cluster-admin', { token })).toMatchObject({
      status: 403,
      body: {
        message: expect.stringMatching(
          /^rolebindings.rbac.authorization.k8s.io "cluster-admin" is forbidden: user "system:serviceaccount:default:robot" \(groups=\["system:serviceaccounts" "system:serviceaccounts:default" "system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:\n/,
        ),
      },
    })
  })

  it('is nobody once it is deleted', async () => {
    const api = await startAccessApi()
    const token = await api.tokenOf('robot')
    expect((await api.send('GET', '/api', { token })).status).toBe(200)
    await api.send('DELETE', '/api/v1/namespaces/default/serviceaccounts/robot', root)
    expect((await api.send('GET', '/api', { token })).status).toBe(401)
  })
})

it('the anonymous see health and version, and nothing else', async () => {
  const api = await startAccessApi()
  const status = async (path: string) => (await api.send('GET', path)).status
  for (const path of ['/healthz', '/livez', '/readyz', '/version']) expect(await status(path), path).toBe(200)
  for (const path of ['/api', '/apis', '/openapi/v2', '/metrics', '/api/v1/namespaces', '/openid/v1/jwks', '/nonsense'])
    expect(await status(path), path).toBe(403)
})

it('a node reads the secrets of its own pods by its certificate, and no others', async () => {
  const api = await startAccessApi()
  const n1 = { certificate: { name: 'system:node:n1', groups: ['system:nodes'] } }
  for (const name of ['mounted', 'foreign'])
    await api.client.for(Secret).create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default' } })
  await api.client.for(Node).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2' } })
  await api.send('POST', '/api/v1/namespaces/default/serviceaccounts', root, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  })
  await api.client.for(Pod).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'x' }], volumes: [{ name: 's', secret: { secretName: 'mounted' } }] },
  })
  await eventually(async () => expect((await api.send('GET', `${secrets}/mounted`, n1)).status).toBe(200))
  const selector = (path: string, name: string) => `${path}?fieldSelector=metadata.name%3D${name}`
  expect((await api.send('GET', selector(secrets, 'mounted'), n1)).status).toBe(200)
  for (const path of [secrets, `${secrets}/foreign`, selector(secrets, 'foreign'), '/api/v1/nodes', '/api/v1/nodes/n2', '/api/v1/pods'])
    expect(await api.send('GET', path, n1), path).toMatchObject({ status: 403 })
  expect((await api.send('GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1', n1)).body.items).toHaveLength(1)
  expect((await api.send('PATCH', '/api/v1/nodes/n2/status', n1, { status: {} })).status).toBe(403)
  // Tokens: for the account of its pod, and bound to that pod.
  const token = (account: string, boundObjectRef?: object) =>
    api.send('POST', `/api/v1/namespaces/default/serviceaccounts/${account}/token`, n1, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { boundObjectRef },
    })
  const { uid } = (await api.client.for(Pod).get('default/web')).metadata
  expect(await token('default')).toMatchObject({ status: 403, body: { message: expect.stringContaining('not bound to a pod') } })
  expect((await token('default', { apiVersion: 'v1', kind: 'Pod', name: 'web', uid })).status).toBe(201)
  expect((await token('other', { apiVersion: 'v1', kind: 'Pod', name: 'web', uid })).status).toBe(403)
})

describe('without the slots', () => {
  const ann = { certificate: { name: 'ann', groups: [] } }

  it('of RBAC everybody with a credential may everything, as before, and reviews say so', async () => {
    const api = await startAccessApi(['rbac', 'node-authorizer'], 'AlwaysAllow')
    expect((await api.send('GET', secrets, ann)).status).toBe(200)
    expect((await api.send('GET', secrets)).status).toBe(403)
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
    }
    const { body } = await api.send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', ann, review)
    expect(body.status.allowed).toBe(true)
  })

  it('of reviews and tokens the API serves the rest', async () => {
    const api = await startAccessApi(['reviews', 'service-account-tokens', 'service-account-admission', 'bootstrap'])
    expect((await api.send('GET', secrets, root)).status).toBe(200)
    expect((await api.send('GET', secrets, ann)).status).toBe(403)
    expect((await api.send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', root, {})).status).toBe(404)
    expect((await api.send('GET', '/api', { token: 'x' })).status).toBe(401)
  })
})
