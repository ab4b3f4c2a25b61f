import { writeFile } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { createSigningRequest, renderKubeconfig, type SigningRequest, type Subject } from '@continuo/lib-certificates'
import { bootstrapTokens } from '@continuo/plugin-authn-service-account'
import { nodeAuthorizer, rbac, reviews } from '@continuo/plugin-authz-rbac'
import { certificateAdmission, csrApproval, csrSigning } from '@continuo/plugin-certificates'
import { CertificateSigningRequest, ClusterRole, ClusterRoleBinding, Secret } from '@continuo/workload'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localClient, type RunningApi, startApi } from '../client-http/running-api.ts'
import { temporaryDirectory } from '../support/cluster-process.ts'
import { eventually } from '../support/eventually.ts'
import { kubectlMissing, runKubectl } from '../support/kubectl.ts'

const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const kubelet = 'kubernetes.io/kube-apiserver-client-kubelet'
const client = 'kubernetes.io/kube-apiserver-client'
const nodeUsages = ['digital signature', 'client auth']
const bootstrapToken = 'abcdef.0123456789abcdef'

interface Asker {
  readonly token?: string
  readonly pair?: { readonly certificate: string; readonly privateKey: string }
}

let api: RunningApi
let root: Asker
const directory = await temporaryDirectory('certificates')

beforeAll(async () => {
  api = await startApi({
    config: { authorization: 'AlwaysDeny' },
    plugins: Object.entries({
      rbac,
      'node-authorizer': nodeAuthorizer,
      reviews,
      bootstrap: bootstrapTokens,
      'certificate-admission': certificateAdmission,
      'csr-approval': csrApproval,
      'csr-signing': csrSigning,
    }).map(([slot, plugin]) => ({ slot, plugin })),
  })
  root = { pair: api.endpoint.admin }
  await localClient(api)
    .for(Secret)
    .create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      stringData: { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true' },
    })
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await directory.remove()
})

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
function send(method: string, path: string, { token, pair }: Asker, body?: object): Promise<{ status: number; body: any }> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(
      new URL(path, api.endpoint.url),
      {
        method,
        ca: api.endpoint.authority,
        ...(pair && { cert: pair.certificate, key: pair.privateKey }),
        agent: false,
        headers: {
          ...(body && { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }),
          ...(token && { authorization: `Bearer ${token}` }),
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) }))
      },
    )
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const objectOf = (name: string, pem: string, signerName: string, usages: readonly string[], spec: object = {}) => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name },
  spec: { request: Buffer.from(pem).toString('base64'), signerName, usages, ...spec },
})

async function ask(name: string, subject: Subject, signerName: string, usages: readonly string[], asker: Asker, spec: object = {}) {
  const made = await createSigningRequest(subject)
  return { made, answer: await send('POST', requests, asker, objectOf(name, made.request, signerName, usages, spec)) }
}

const nodeSubject = (node: string): Subject => ({ commonName: `system:node:${node}`, organizations: ['system:nodes'] })

const approval = (type: string) => ({ status: { conditions: [{ type, status: 'True', reason: 'Test', message: 'test' }] } })
const decide = (name: string, type: string, asker: Asker = root) => send('PATCH', `${requests}/${name}/approval`, asker, approval(type))

/** Waits for the signer. */
async function settled(name: string): Promise<CertificateSigningRequest> {
  let found: CertificateSigningRequest | undefined
  await eventually(async () => {
    found = await localClient(api).for(CertificateSigningRequest).get(name)
    expect(found.status?.certificate ?? found.status?.conditions?.find(({ type }) => type === 'Failed')).toBeDefined()
  })
  return found as CertificateSigningRequest
}

async function certified(name: string, made: SigningRequest): Promise<Asker> {
  const { status } = await settled(name)
  return { pair: { certificate: Buffer.from(status?.certificate ?? '', 'base64').toString('utf8'), privateKey: made.privateKey } }
}

const whoIs = async (asker: Asker) =>
  (
    await send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', asker, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
    })
  ).body.status.userInfo

/** A certificate of a user of that name, without any right but to ask. */
const user = async (name: string, groups: readonly string[] = []): Promise<Asker> => ({
  pair: await api.endpoint.issue({ name, groups }, 1),
})

async function mayAsk(name: string): Promise<Asker> {
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', root, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `ask-${name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-bootstrapper' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name }],
  })
  const asker = await user(name)
  await eventually(async () => expect((await send('GET', requests, asker)).status).toBe(200))
  return asker
}

describe('a signing request', () => {
  it('that was approved becomes a certificate of that user in those groups', async () => {
    const { made } = await ask('ann', { commonName: 'ann', organizations: ['dev', 'ops'] }, client, ['client auth'], root)
    expect((await decide('ann', 'Approved')).status).toBe(200)
    expect(await whoIs(await certified('ann', made))).toMatchObject({ username: 'ann', groups: ['dev', 'ops', 'system:authenticated'] })
  })

  it('says who asks, whatever it claims, and never anything else', async () => {
    const asker = await mayAsk('mallory')
    const { answer } = await ask('claims', { commonName: 'mallory' }, client, ['client auth'], asker, {
      username: 'continuo-admin',
      uid: '1',
      groups: ['system:masters'],
      extra: { a: ['b'] },
    })
    expect(answer.body.spec).toMatchObject({ username: 'mallory', groups: ['system:authenticated'] })
    expect([answer.body.spec.uid, answer.body.spec.extra]).toEqual([undefined, undefined])
    const patched = await send('PATCH', `${requests}/claims`, root, { spec: { username: 'continuo-admin', usages: ['server auth'] } })
    expect(patched.body.spec).toEqual(answer.body.spec)
  })

  it('that was denied stays denied and unsigned', async () => {
    await ask('denied', { commonName: 'x' }, client, ['client auth'], root)
    expect((await decide('denied', 'Denied')).status).toBe(200)
    expect((await decide('denied', 'Approved')).status).toBe(422)
    expect((await localClient(api).for(CertificateSigningRequest).get('denied')).status?.certificate).toBeUndefined()
  })

  it.each<[string, Subject, string, readonly string[], string]>([
    ['client for servers', { commonName: 'x' }, client, ['server auth'], 'usages did not match'],
    ['node of masters', { commonName: 'system:node:x', organizations: ['system:masters'] }, kubelet, nodeUsages, 'subject organization'],
    ['server without names', nodeSubject('x'), 'kubernetes.io/kubelet-serving', ['digital signature', 'server auth'], 'subjectAltName'],
  ])('fails when it breaks the rules of its signer: %s', async (what, subject, signer, usages, message) => {
    const name = what.replaceAll(' ', '-')
    expect((await ask(name, subject, signer, usages, root)).answer.status).toBe(201)
    await decide(name, 'Approved')
    const { status } = await settled(name)
    expect(status?.certificate).toBeUndefined()
    expect(status?.conditions?.find(({ type }) => type === 'Failed')).toMatchObject({
      reason: 'SignerValidationFailure',
      message: expect.stringContaining(message),
    })
  })

  it('fails when its signature is not that of its key', async () => {
    const { request } = await createSigningRequest({ commonName: 'ann' })
    const bytes = Buffer.from(request.split('\n').slice(1, -2).join(''), 'base64')
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] as number) ^ 1
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    await send('POST', requests, root, objectOf('tampered', pem, client, ['client auth']))
    await decide('tampered', 'Approved')
    expect((await settled('tampered')).status?.conditions?.map(({ reason }) => reason)).toEqual(['Test', 'SignerValidationFailure'])
  })

  it('is refused when nobody can read it, or when it is no request but a burden', async () => {
    const huge = `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(100_000)}\n-----END CERTIFICATE REQUEST-----\n`
    for (const pem of ['nothing', huge]) {
      const { status, body } = await send('POST', requests, root, objectOf('bad', pem, client, ['client auth']))
      expect([status, body.details.causes[0].field]).toEqual([422, 'spec.request'])
    }
    for (const signer of ['none', 'nodomain/x', 'kubernetes.io/legacy-unknown', 'a.b/c/d', 'A.b/c'])
      expect((await ask('bad', { commonName: 'x' }, signer, ['client auth'], root)).answer).toMatchObject({
        status: 422,
        body: { details: { causes: [expect.objectContaining({ field: 'spec.signerName' })] } },
      })
  })

  it('for system:masters is refused', async () => {
    const { answer } = await ask('masters', { commonName: 'x', organizations: ['system:masters'] }, client, ['client auth'], root)
    expect(answer).toMatchObject({
      status: 403,
      body: {
        message: expect.stringContaining('use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed'),
      },
    })
  })
})

describe('approving and signing', () => {
  it('takes the right to approve, or to sign, for that signer', async () => {
    const rbacPath = '/apis/rbac.authorization.k8s.io/v1'
    const local = localClient(api)
    const group = 'certificates.k8s.io'
    await local.for(ClusterRole).create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'approver' },
      rules: [
        {
          verbs: ['get', 'list', 'patch', 'update'],
          apiGroups: [group],
          resources: ['certificatesigningrequests/approval', 'certificatesigningrequests/status', 'certificatesigningrequests'],
        },
        { verbs: ['approve'], apiGroups: [group], resources: ['signers'], resourceNames: ['example.com/*'] },
      ],
    })
    await send('POST', `${rbacPath}/clusterrolebindings`, root, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'approver' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'approver' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'approver' }],
    })
    const approver = await user('approver')
    await eventually(async () => expect((await send('GET', requests, approver)).status).toBe(200))
    await ask('ours', { commonName: 'x' }, 'example.com/own', ['client auth'], root)
    await ask('theirs', { commonName: 'x' }, client, ['client auth'], root)
    expect(await decide('theirs', 'Approved', approver)).toMatchObject({
      status: 403,
      body: {
        message: expect.stringContaining('user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"'),
      },
    })
    expect((await decide('ours', 'Approved', approver)).status).toBe(200)
    const certificate = Buffer.from(api.endpoint.admin?.certificate ?? '').toString('base64')
    expect(await send('PATCH', `${requests}/ours/status`, approver, { status: { certificate } })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('user not permitted to sign requests with signerName "example.com/own"') },
    })
    expect((await send('PATCH', `${requests}/ours/status`, root, { status: { certificate: 'bm9uZQ==' } })).status).toBe(422)
    expect((await send('PATCH', `${requests}/ours/status`, root, { status: { certificate } })).status).toBe(200)
  })
})

describe('a node', () => {
  it('gets its certificate for a bootstrap token, is that node with it and nobody else, and renews it', async () => {
    const { made, answer } = await ask('join', nodeSubject('n1'), kubelet, nodeUsages, { token: bootstrapToken })
    expect(answer.status).toBe(201)
    const node = await certified('join', made)
    expect(await whoIs(node)).toMatchObject({ username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] })
    const create = (name: string) =>
      send('POST', '/api/v1/nodes', node, { apiVersion: 'v1', kind: 'Node', metadata: { name } }).then(({ status }) => status)
    expect([await create('n2'), await create('n1')]).toEqual([403, 201])
    expect((await send('GET', '/api/v1/secrets', node)).status).toBe(403)

    const renewed = await ask('renew', nodeSubject('n1'), kubelet, nodeUsages, node)
    await certified('renew', renewed.made)
    expect((await localClient(api).for(CertificateSigningRequest).get('renew')).status?.conditions?.[0]).toMatchObject({
      reason: 'AutoApproved',
      message: expect.stringContaining('renews'),
    })
    const other = await ask('other', nodeSubject('n2'), kubelet, nodeUsages, node)
    expect(other.answer).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('can only create a node CSR with CN=system:node:n1') },
    })
  })

  it('is not approved for somebody without the right to it, until that is given', async () => {
    const asker = await mayAsk('stranger')
    await ask('stranger', nodeSubject('n3'), kubelet, nodeUsages, asker)
    // A later request of somebody with the right has been settled: this one was looked at before.
    const { made } = await ask('later', nodeSubject('n4'), kubelet, nodeUsages, { token: bootstrapToken })
    await certified('later', made)
    expect((await localClient(api).for(CertificateSigningRequest).get('stranger')).status?.conditions ?? []).toEqual([])
  })

  it('is not approved with a subject or usages that are none of a node', async () => {
    const asker = { token: bootstrapToken }
    await ask('m', { commonName: 'system:node:m', organizations: ['system:masters'] }, kubelet, nodeUsages, asker)
    await ask('both', { commonName: 'system:node:m', organizations: ['system:nodes', 'system:masters'] }, kubelet, nodeUsages, asker)
    await ask('usage', nodeSubject('m'), kubelet, [...nodeUsages, 'server auth'], asker)
    await ask('serve', nodeSubject('m'), 'kubernetes.io/kubelet-serving', ['digital signature', 'server auth'], asker)
    const { made } = await ask('last', nodeSubject('m'), kubelet, nodeUsages, asker)
    await certified('last', made)
    for (const name of ['m', 'both', 'usage', 'serve'])
      expect((await localClient(api).for(CertificateSigningRequest).get(name)).status?.conditions ?? []).toEqual([])
  })

  it('has its rights by bindings that an administrator sees and may change', async () => {
    const bindings = (await localClient(api).for(ClusterRoleBinding).list()).items.map(({ metadata }) => metadata.name)
    expect(bindings).toEqual(
      expect.arrayContaining(['continuo:node-autoapprove-bootstrap', 'continuo:node-autoapprove-rotation', 'continuo:node-bootstrapper']),
    )
  })
})

describe.skipIf(kubectlMissing !== undefined)(`kubectl ${kubectlMissing ?? ''}`.trim(), () => {
  it('certificate approve and deny', async () => {
    const file = join(directory.path, 'kubeconfig')
    await writeFile(
      file,
      renderKubeconfig({ name: 'test', server: api.endpoint.url, authority: api.endpoint.authority, client: api.endpoint.admin }),
    )
    const run = (...args: string[]) => runKubectl(file, args)
    const { made } = await ask('yes', { commonName: 'bob', organizations: ['dev'] }, client, ['client auth'], root)
    await ask('no', { commonName: 'bob' }, client, ['client auth'], root)
    expect(await run('certificate', 'approve', 'yes')).toMatchObject({
      code: 0,
      stdout: 'certificatesigningrequest.certificates.k8s.io/yes approved\n',
    })
    expect(await run('certificate', 'deny', 'no')).toMatchObject({
      code: 0,
      stdout: 'certificatesigningrequest.certificates.k8s.io/no denied\n',
    })
    expect(await whoIs(await certified('yes', made))).toMatchObject({ username: 'bob' })
    const { stdout } = await run('get', 'csr', 'yes', 'no', '--no-headers')
    expect(stdout).toMatch(/^yes .*Approved,Issued\nno .*Denied\n$/)
  })
})
