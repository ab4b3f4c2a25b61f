import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createHost, type KubeObject, memoryStore, ObjectClientCap } from '@continuo/core'
import { createAuthority, issueCertificate } from '@continuo/lib-certificates'
import { mutatingAdmissionPolicy, validatingAdmissionPolicy } from '@continuo/plugin-admission-policy'
import { admissionWebhook } from '@continuo/plugin-admission-webhook'
import {
  ConfigMap,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  workloadKinds,
} from '@continuo/workload'
import { expect, it, onTestFinished } from 'vitest'

const apiVersion = 'admissionregistration.k8s.io/v1'
const untyped = <T extends KubeObject>(object: unknown): T => object as T
const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }]

/** A webhook that adds `webhook` to `data.said`. */
async function startWebhook(): Promise<{ readonly url: string; readonly caBundle: string; readonly seen: string[] }> {
  const now = Date.now()
  const authority = await createAuthority({ commonName: 'order', now, validDays: 1 })
  const leaf = await issueCertificate(authority, {
    subject: { commonName: 'hook' },
    usage: 'server',
    names: ['127.0.0.1'],
    now,
    validDays: 1,
  })
  const seen: string[] = []
  const server = createServer({ cert: leaf.certificate, key: leaf.privateKey }, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { request: asked, ...review } = JSON.parse(Buffer.concat(chunks).toString())
    seen.push(asked.object.data.said)
    const patch = Buffer.from(JSON.stringify([{ op: 'replace', path: '/data/said', value: `${asked.object.data.said} webhook` }]))
    const answer = { uid: asked.uid, allowed: true, patchType: 'JSONPatch', patch: patch.toString('base64') }
    response.end(JSON.stringify({ ...review, response: answer }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(authority.certificate).toString('base64'), seen }
}

it('asks mutating policies before webhooks, those that want it once more after them, and validating policies about the outcome', async () => {
  const hook = await startWebhook()
  const plugins = {
    store: memoryStore,
    kinds: workloadKinds,
    'admission-policy-mutating': mutatingAdmissionPolicy,
    'admission-policy-validating': validatingAdmissionPolicy,
    'admission-webhook': admissionWebhook,
  }
  const host = createHost({
    name: 'order',
    role: 'control-plane',
    leaderElection: false,
    plugins: Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin })),
  })
  await host.start()
  onTestFinished(() => host.stop())
  const client = host.use(ObjectClientCap)

  const policy = { matchConstraints: { resourceRules: rules } }
  const expression = "Object{data: {'said': object.data.said + ' policy'}}"
  await client.for(MutatingAdmissionPolicy).create(
    untyped({
      apiVersion,
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: 'p' },
      spec: {
        ...policy,
        reinvocationPolicy: 'IfNeeded',
        mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
      },
    }),
  )
  await client
    .for(MutatingAdmissionPolicyBinding)
    .create(untyped({ apiVersion, kind: 'MutatingAdmissionPolicyBinding', metadata: { name: 'p' }, spec: { policyName: 'p' } }))
  await client.for(MutatingWebhookConfiguration).create(
    untyped({
      apiVersion,
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'w' },
      webhooks: [
        {
          name: 'w.example.com',
          clientConfig: { url: hook.url, caBundle: hook.caBundle },
          rules,
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    }),
  )
  const validations = [{ expression: "object.data.said == 'client policy webhook policy'", messageExpression: 'object.data.said' }]
  await client
    .for(ValidatingAdmissionPolicy)
    .create(untyped({ apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name: 'v' }, spec: { ...policy, validations } }))
  await client.for(ValidatingAdmissionPolicyBinding).create(
    untyped({
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'v' },
      spec: { policyName: 'v', validationActions: ['Deny'] },
    }),
  )

  const made = await client
    .for(ConfigMap)
    .create(untyped({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', namespace: 'default' }, data: { said: 'client' } }))
  expect(made.data?.said).toBe('client policy webhook policy')
  expect(hook.seen).toEqual(['client policy'])
})
