import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createAuthority, issueCertificate, type KeyPair } from '@continuo/lib-certificates'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type ClusterProcess, startProcess, temporaryDirectory } from '../support/cluster-process.ts'
import { eventually } from '../support/eventually.ts'
import { type KubectlResult, kubectlMissing, runKubectl } from '../support/kubectl.ts'

const apiVersion = 'admissionregistration.k8s.io/v1'

describe.skipIf(kubectlMissing !== undefined)(
  `kubectl and admission of users${kubectlMissing === undefined ? '' : ` (${kubectlMissing})`}`,
  () => {
    let home: Awaited<ReturnType<typeof temporaryDirectory>>
    let cluster: ClusterProcess
    let authority: KeyPair

    beforeAll(async () => {
      home = await temporaryDirectory('admission')
      authority = await createAuthority({ commonName: 'webhooks', now: Date.now(), validDays: 1 })
      cluster = await startProcess({ dataDir: home.path })
    })
    afterAll(async () => {
      await cluster?.interrupt()
      await home?.remove()
    })

    const run = (args: readonly string[], input?: object): Promise<KubectlResult> =>
      runKubectl(cluster.kubeconfig, args, input === undefined ? {} : { input: JSON.stringify(input) })
    const ok = async (args: readonly string[], input?: object): Promise<string> => {
      const { code, stdout, stderr } = await run(args, input)
      expect(stderr).toBe('')
      expect(code).toBe(0)
      return stdout
    }
    const create = (object: object): Promise<string> => ok(['create', '-f', '-'], object)
    const leaf = (name: string): Promise<KeyPair> =>
      issueCertificate(authority, { subject: { commonName: name }, usage: 'server', names: [name], now: Date.now(), validDays: 1 })
    const caBundle = (): string => Buffer.from(authority.certificate).toString('base64')
    const configuration = (kind: string, name: string, webhook: object): object => ({
      apiVersion,
      kind,
      metadata: { name },
      webhooks: [{ name: `${name}.example.com`, sideEffects: 'None', admissionReviewVersions: ['v1'], timeoutSeconds: 5, ...webhook }],
    })
    const configMaps = (...resources: readonly string[]): object => ({
      rules: [
        { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: resources.length === 0 ? ['configmaps'] : resources },
      ],
      objectSelector: { matchLabels: { asked: 'yes' } },
    })

    it('lists configurations and policies with the columns of Kubernetes', async () => {
      await create({
        apiVersion,
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: 'columns' },
        spec: {
          paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
          matchConstraints: { resourceRules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['secrets'] }] },
          validations: [{ expression: 'true' }],
        },
      })
      expect(await ok(['get', 'validatingadmissionpolicies'])).toMatch(/^NAME +VALIDATIONS +PARAMKIND +AGE\ncolumns +1 +v1\/ConfigMap +/)
      await ok(['delete', 'validatingadmissionpolicy', 'columns'])
    })

    it('refuses what a policy denies, in its words', async () => {
      await create({
        apiVersion,
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: 'replicas.example.com' },
        spec: {
          matchConstraints: {
            resourceRules: [{ operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }],
          },
          validations: [{ expression: 'object.spec.replicas <= 5' }],
        },
      })
      await create({
        apiVersion,
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: 'everywhere' },
        spec: { policyName: 'replicas.example.com', validationActions: ['Deny'] },
      })
      const { code, stderr } = await run(['create', 'deployment', 'many', '--image=host', '--replicas=6'])
      expect(code).toBe(1)
      expect(stderr).toContain(
        "ValidatingAdmissionPolicy 'replicas.example.com' with binding 'everywhere' denied request: failed expression: object.spec.replicas <= 5",
      )
      const dry = await run(['create', 'deployment', 'many', '--image=host', '--replicas=6', '--dry-run=server'])
      expect(dry.stderr).toContain("ValidatingAdmissionPolicy 'replicas.example.com' with binding 'everywhere' denied request")
      await ok(['delete', 'validatingadmissionpolicybinding', 'everywhere'])
      await ok(['delete', 'validatingadmissionpolicy', 'replicas.example.com'])
    })

    it('refuses what a webhook denies, shows its warnings, and tells what is wrong with one that is gone', async () => {
      const { certificate, privateKey } = await leaf('127.0.0.1')
      const server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
        let text = ''
        request.setEncoding('utf8')
        request.on('data', (chunk: string) => {
          text += chunk
        })
        request.on('end', () => {
          const { request: asked, ...review } = JSON.parse(text)
          const allowed = asked.name !== 'bad'
          const status = allowed ? {} : { status: { message: 'it is bad', code: 403, reason: 'Forbidden' } }
          response.end(JSON.stringify({ ...review, response: { uid: asked.uid, allowed, ...status, warnings: ['I have seen it'] } }))
        })
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const stop = () =>
        new Promise<void>((resolve) => {
          server.closeAllConnections()
          server.close(() => resolve())
        })
      onTestFinished(stop)
      const { port } = server.address() as AddressInfo
      const clientConfig = { url: `https://127.0.0.1:${port}/validate`, caBundle: caBundle() }
      await create(configuration('ValidatingWebhookConfiguration', 'judge', { clientConfig, ...configMaps() }))
      const labelled = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { asked: 'yes' } } })
      const good = await run(['create', '-f', '-'], labelled('good'))
      expect(good).toMatchObject({ code: 0, stderr: 'Warning: I have seen it\n' })
      const bad = await run(['create', '-f', '-'], labelled('bad'))
      expect(bad.stderr).toContain(
        'Error from server (Forbidden): error when creating "STDIN": admission webhook "judge.example.com" denied the request: it is bad',
      )
      await stop()
      const gone = await run(['create', '-f', '-'], labelled('ugly'))
      expect(gone.stderr).toContain(
        `Internal error occurred: failed calling webhook "judge.example.com": failed to call webhook: Post "https://127.0.0.1:${port}/validate?timeout=5s": dial tcp 127.0.0.1:${port}: connect: connection refused`,
      )
      await ok(['delete', 'validatingwebhookconfiguration', 'judge'])
      await ok(['create', '-f', '-'], labelled('ugly'))
    })

    it('lets a webhook that runs in the cluster, behind its Service, change objects; and asks one about shells', async () => {
      const { certificate, privateKey } = await leaf('hook.default.svc')
      const program = `
        const patch = Buffer.from(JSON.stringify([{ op: 'add', path: '/data', value: { by: 'hook' } }])).toString('base64')
        require('node:https').createServer({ cert: process.env.CERT, key: process.env.KEY }, (request, response) => {
          let text = ''
          request.on('data', (chunk) => { text += chunk })
          request.on('end', () => {
            const { request: asked, ...review } = JSON.parse(text)
            const answer = asked.operation === 'CONNECT'
              ? { allowed: asked.object.command[0] !== 'sh', status: { message: 'no shells', code: 403 } }
              : { allowed: true, patchType: 'JSONPatch', patch }
            response.end(JSON.stringify({ ...review, response: { uid: asked.uid, ...answer } }))
          })
        }).listen(8443, process.env.POD_IP)`
      const env = [
        { name: 'CERT', value: certificate },
        { name: 'KEY', value: privateKey },
      ]
      const containers = [{ name: 'hook', image: 'host', command: [process.execPath, '-e', program], env }]
      await create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'hook', labels: { app: 'hook' } }, spec: { containers } })
      await create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'hook' },
        spec: { selector: { app: 'hook' }, ports: [{ port: 443, targetPort: 8443 }] },
      })
      const clientConfig = { service: { namespace: 'default', name: 'hook', path: '/mutate' }, caBundle: caBundle() }
      await ok(['wait', '--for=condition=Ready', 'pod/hook', '--timeout=20s'])
      await create(configuration('MutatingWebhookConfiguration', 'changer', { clientConfig, ...configMaps() }))
      await eventually(async () => {
        const changed = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'changed', labels: { asked: 'yes' } } }
        const { code, stderr } = await run(['create', '-f', '-'], changed)
        expect(stderr).toBe('')
        expect(code).toBe(0)
      })
      expect(await ok(['get', 'configmap', 'changed', '-o', 'jsonpath={.data.by}'])).toBe('hook')

      const rules = [{ operations: ['CONNECT'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/exec'] }]
      await create(configuration('ValidatingWebhookConfiguration', 'shells', { clientConfig, rules }))
      expect(await ok(['exec', 'hook', '--', 'echo', 'hello'])).toBe('hello\n')
      const shell = await run(['exec', 'hook', '--', 'sh', '-c', 'echo hello'])
      expect(shell.code).not.toBe(0)
      expect(shell.stderr).toContain('admission webhook "shells.example.com" denied the request: no shells')
    })

    it('is not locked out by a webhook about everything that must answer and does not: its pods come back by themselves', async () => {
      const { certificate, privateKey } = await leaf('guard.default.svc')
      const flag = join(home.path, 'guard-may-answer')
      await writeFile(flag, '')
      const program = `
        const server = require('node:https').createServer({ cert: process.env.CERT, key: process.env.KEY }, (request, response) => {
          let text = ''
          request.on('data', (chunk) => { text += chunk })
          request.on('end', () => {
            const { request: asked, ...review } = JSON.parse(text)
            response.end(JSON.stringify({ ...review, response: { uid: asked.uid, allowed: true } }))
          })
        })
        const timer = setInterval(() => {
          if (!require('node:fs').existsSync(process.env.FLAG)) return
          clearInterval(timer)
          server.listen(8443, process.env.POD_IP)
        }, 20)`
      const env = [
        { name: 'CERT', value: certificate },
        { name: 'KEY', value: privateKey },
        { name: 'FLAG', value: flag },
      ]
      const labels = { app: 'guard' }
      const containers = [{ name: 'guard', image: 'host', command: [process.execPath, '-e', program], env }]
      await create({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'guard' },
        spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
      })
      await create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'guard' },
        spec: { selector: labels, ports: [{ port: 443, targetPort: 8443 }] },
      })
      await ok(['rollout', 'status', 'deployment/guard', '--timeout=20s'])
      const rules = [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }]
      const clientConfig = { service: { namespace: 'default', name: 'guard' }, caBundle: caBundle() }
      await create(configuration('ValidatingWebhookConfiguration', 'guard', { clientConfig, rules }))
      await eventually(async () => expect((await run(['create', 'configmap', 'guarded'])).code).toBe(0))

      const pods = async (): Promise<string> => {
        const format = '{range .items[?(@.status.phase=="Running")]}{.metadata.uid} {end}'
        return (await ok(['get', 'pods', '-l', 'app=guard', '-o', `jsonpath=${format}`])).trim()
      }
      await rm(flag)
      await ok(['delete', 'pods', '-l', 'app=guard', '--now'])
      await eventually(async () => {
        const { stderr } = await run(['create', 'configmap', 'refused'])
        expect(stderr).toContain('failed calling webhook "guard.example.com"')
      })
      const silent = await eventually(async () => {
        const running = await pods()
        expect(running).toMatch(/^\S+$/)
        return running
      })
      // Made, bound and started while nobody answers for the webhook.
      await ok(['delete', 'pods', '-l', 'app=guard', '--now'])
      await eventually(async () => {
        const running = await pods()
        expect(running).toMatch(/^\S+$/)
        expect(running).not.toBe(silent)
      })
      expect((await run(['create', 'configmap', 'refused'])).code).not.toBe(0)
      await writeFile(flag, '')
      await eventually(async () => expect((await run(['create', 'configmap', 'guarded-again'])).stderr).toBe(''))
      await ok(['delete', 'validatingwebhookconfiguration', 'guard'])
    }, 90_000)
  },
)
