import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type AccessApi, root, startAccessApi } from './access-api.ts'

const access = '/apis/authorization.k8s.io/v1'
const authentication = '/apis/authentication.k8s.io/v1'
const ann = { certificate: { name: 'ann', groups: ['team'] } }

const subjectReview = (spec: object) => ({ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec })
const selfReview = (spec: object) => ({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec })
const tokenReview = (spec: object) => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec })

/** Lets ann read pods in the namespace default. */
async function letAnnRead(api: AccessApi): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const metadata = { name: 'reader', namespace: 'default' }
  await api.client
    .for(Role)
    .create({ apiVersion, kind: 'Role', metadata, rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }] })
  await api.client.for(RoleBinding).create({
    apiVersion,
    kind: 'RoleBinding',
    metadata,
    roleRef: { kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'User', name: 'ann' }],
  })
  await eventually(async () => {
    const { status } = await api.send('GET', '/api/v1/namespaces/default/pods', ann)
    if (status !== 200) throw new Error(`ann gets ${status}`)
  })
}

it('decide about requests and about reviews alike', async () => {
  const api = await startAccessApi()
  await letAnnRead(api)
  expect(await api.send('DELETE', '/api/v1/namespaces/default/pods/web', ann)).toMatchObject({
    status: 403,
    body: { message: 'pods "web" is forbidden: User "ann" cannot delete resource "pods" in API group "" in the namespace "default"' },
  })
  const ask = async (verb: string, namespace: string) =>
    (
      await api.send(
        'POST',
        `${access}/selfsubjectaccessreviews`,
        ann,
        selfReview({ resourceAttributes: { verb, resource: 'pods', namespace } }),
      )
    ).body.status
  expect(await ask('get', 'default')).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "reader/default" of Role "reader" to User "ann"',
  })
  expect(await ask('delete', 'default')).toEqual({ allowed: false })
  expect(await ask('get', 'kube-system')).toEqual({ allowed: false })
})

describe('SubjectAccessReview', () => {
  it('answers about others, for those who may ask', async () => {
    const api = await startAccessApi()
    await letAnnRead(api)
    const about = (spec: object, asker = root) => api.send('POST', `${access}/subjectaccessreviews`, asker, subjectReview(spec))
    const resourceAttributes = { verb: 'list', resource: 'pods', namespace: 'default' }
    expect((await about({ user: 'ann', resourceAttributes })).body.status.allowed).toBe(true)
    expect((await about({ user: 'eve', resourceAttributes })).body.status).toEqual({ allowed: false })
    expect((await about({ groups: ['system:masters'], resourceAttributes })).body.status.allowed).toBe(true)
    expect((await about({ user: 'eve', nonResourceAttributes: { verb: 'get', path: '/version' } })).body.status.allowed).toBe(true)
    expect((await about({ user: 'ann', resourceAttributes }, ann)).status).toBe(403)
    const answer = await about({ user: 'ann', resourceAttributes })
    expect(answer).toMatchObject({ status: 201, body: { kind: 'SubjectAccessReview', spec: { user: 'ann', resourceAttributes } } })
  })

  it('is 422 for a question that is none', async () => {
    const api = await startAccessApi()
    const about = (spec: object) => api.send('POST', `${access}/subjectaccessreviews`, root, subjectReview(spec))
    expect(await about({ user: 'ann' })).toMatchObject({
      status: 422,
      body: { details: { causes: [{ field: 'spec.resourceAttributes' }] } },
    })
    expect(await about({ resourceAttributes: { verb: 'get' } })).toMatchObject({
      status: 422,
      body: { details: { causes: [{ field: 'spec.user', message: expect.stringContaining('at least one of user or group') }] } },
    })
    expect((await about({ user: 'ann', resourceAttributes: {}, nonResourceAttributes: {} })).status).toBe(422)
    for (const [name, status] of [
      ['subjectaccessreviews', 422],
      ['namespaces/default/localsubjectaccessreviews', 422],
      ['selfsubjectaccessreviews', 422],
      ['selfsubjectrulesreviews', 400],
    ] as const)
      expect((await api.send('POST', `${access}/${name}`, root, { metadata: {} })).status, name).toBe(status)
  })

  it('of one namespace speaks of that namespace alone', async () => {
    const api = await startAccessApi()
    await letAnnRead(api)
    const about = (namespace: string) =>
      api.send('POST', `${access}/namespaces/default/localsubjectaccessreviews`, root, {
        ...subjectReview({ user: 'ann', resourceAttributes: { verb: 'get', resource: 'pods', namespace } }),
        kind: 'LocalSubjectAccessReview',
        metadata: { namespace: 'default' },
      })
    expect((await about('default')).body.status.allowed).toBe(true)
    expect(await about('kube-system')).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('must match metadata.namespace') },
    })
  })
})

it('SelfSubjectRulesReview lists what I may do there', async () => {
  const api = await startAccessApi()
  await letAnnRead(api)
  const ask = async (namespace: string) =>
    (
      await api.send('POST', `${access}/selfsubjectrulesreviews`, ann, {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectRulesReview',
        spec: { namespace },
      })
    ).body
  const { status } = await ask('default')
  expect(status.incomplete).toBe(false)
  expect(status.resourceRules).toContainEqual({ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] })
  expect(status.nonResourceRules.flatMap((rule: { nonResourceURLs: string[] }) => rule.nonResourceURLs)).toContain('/version')
  expect((await ask('kube-system')).status.resourceRules).not.toContainEqual(expect.objectContaining({ resources: ['pods'] }))
  expect(await ask('')).toMatchObject({ code: 400, message: 'no namespace on request' })
})

describe('TokenReview', () => {
  it('tells whose token it is', async () => {
    const api = await startAccessApi()
    const token = await api.tokenOf('robot')
    const review = async (spec: object) => (await api.send('POST', `${authentication}/tokenreviews`, root, tokenReview(spec))).body.status
    expect(await review({ token })).toMatchObject({
      authenticated: true,
      user: { username: 'system:serviceaccount:default:robot', groups: expect.arrayContaining(['system:authenticated']) },
    })
    expect(await review({ token: 'nonsense' })).toEqual({ authenticated: false, user: {}, error: 'invalid bearer token' })
    await api.send('DELETE', '/api/v1/namespaces/default/serviceaccounts/robot', root)
    expect(await review({ token })).toMatchObject({ authenticated: false, error: expect.stringContaining('does not exist') })
  })

  it('tells for which of the wanted audiences it is good', async () => {
    const api = await startAccessApi()
    await api.tokenOf('robot')
    const asked = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: ['vault', 'mail'] } }
    const { body } = await api.send('POST', '/api/v1/namespaces/default/serviceaccounts/robot/token', root, asked)
    const review = async (audiences?: string[]) =>
      (await api.send('POST', `${authentication}/tokenreviews`, root, tokenReview({ token: body.status.token, audiences }))).body.status
    expect(await review(['vault', 'bank'])).toMatchObject({ authenticated: true, audiences: ['vault'] })
    expect(await review(['bank'])).toMatchObject({ authenticated: false })
    expect(await review()).toMatchObject({ authenticated: false, error: expect.stringContaining('audiences') })
    expect((await api.send('GET', '/api/v1/namespaces', { token: body.status.token })).status).toBe(401)
  })

  it('is for those who may ask', async () => {
    const api = await startAccessApi()
    const token = await api.tokenOf('robot')
    expect((await api.send('POST', `${authentication}/tokenreviews`, ann, tokenReview({ token }))).status).toBe(403)
    expect((await api.send('POST', `${authentication}/tokenreviews`, root, tokenReview({}))).status).toBe(400)
  })
})

it('reviews are only created: discovery says so, and nothing is kept', async () => {
  const api = await startAccessApi()
  const { body } = await api.send('GET', access, root)
  expect(body.resources.map((one: { name: string; verbs: string[] }) => [one.name, one.verbs])).toEqual([
    ['localsubjectaccessreviews', ['create']],
    ['selfsubjectaccessreviews', ['create']],
    ['selfsubjectrulesreviews', ['create']],
    ['subjectaccessreviews', ['create']],
  ])
  expect((await api.send('GET', `${access}/subjectaccessreviews`, root)).status).toBe(405)
})

describe('impersonation', () => {
  it('needs the right to impersonate, for the user and for each group', async () => {
    const api = await startAccessApi()
    const whoami = (headers: Record<string, string>, asker = ann) =>
      api.send(
        'POST',
        `${authentication}/selfsubjectreviews`,
        { ...asker, headers },
        { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      )
    expect(await whoami({ 'impersonate-user': 'bob' })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('cannot impersonate resource "users"') },
    })
    const apiVersion = 'rbac.authorization.k8s.io/v1'
    const metadata = { name: 'as-bob' }
    const rules = [{ verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['bob'] }]
    await api.client.for(ClusterRole).create({ apiVersion, kind: 'ClusterRole', metadata, rules })
    const roleRef = { kind: 'ClusterRole', name: 'as-bob' }
    await api.client
      .for(ClusterRoleBinding)
      .create({ apiVersion, kind: 'ClusterRoleBinding', metadata, roleRef, subjects: [{ kind: 'User', name: 'ann' }] })
    await eventually(async () =>
      expect((await whoami({ 'impersonate-user': 'bob' })).body.status?.userInfo).toEqual({
        username: 'bob',
        groups: ['system:authenticated'],
      }),
    )
    expect((await whoami({ 'impersonate-user': 'root' })).status).toBe(403)
    expect((await whoami({ 'impersonate-user': 'bob', 'impersonate-group': 'system:masters' })).status).toBe(403)
    expect((await whoami({ 'impersonate-user': 'system:serviceaccount:default:x' })).status).toBe(403)
  })
})

it.each([
  ['a number for a list', tokenReview({ token: 'a', audiences: 7 }), `${authentication}/tokenreviews`, 'spec.audiences'],
  [
    'a text for an object',
    subjectReview({ user: 'ann', resourceAttributes: 'pods' }),
    `${access}/subjectaccessreviews`,
    'spec.resourceAttributes',
  ],
])('a review with %s is told which field it is', async (_, review, path, field) => {
  const api = await startAccessApi()
  expect(await api.send('POST', path, root, review)).toMatchObject({
    status: 422,
    body: { reason: 'Invalid', details: { causes: [expect.objectContaining({ reason: 'FieldValueTypeInvalid', field })] } },
  })
})
