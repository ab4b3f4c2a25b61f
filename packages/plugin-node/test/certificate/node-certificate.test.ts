import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHost, memoryStore, ObjectClientCap, systemClock } from '@continuo/core'
import { createAuthority, inspectCertificate, issueCertificate } from '@continuo/lib-certificates'
import { createVirtualClock } from '@continuo/testkit'
import { CertificateSigningRequest, workloadKinds } from '@continuo/workload'
import { expect, it, onTestFinished } from 'vitest'
import { nodeCertificate } from '../../src/certificate/node-certificate.ts'
import { renewalTime } from '../../src/certificate/renewal-time.ts'
import { requestNodeCertificate } from '../../src/certificate/request-certificate.ts'

const dayMs = 86_400_000

/** A client of a cluster in which nobody approves anything unless the test does. */
async function cluster(clock = systemClock) {
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    clock,
    plugins: [
      { slot: 'store', plugin: memoryStore },
      { slot: 'kinds', plugin: workloadKinds },
    ],
  })
  await host.start()
  onTestFinished(() => host.stop())
  return host.use(ObjectClientCap)
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await systemClock.sleep(5)
  }
}

it('a certificate is renewed when its part of life is over', () => {
  const validFromDate = new Date(1_000)
  const validToDate = new Date(11_000)
  expect(renewalTime({ validFromDate, validToDate }, 0.8)).toBe(9_000)
})

it('a request names the node, and is given up when it is denied or nobody answers', async () => {
  const client = await cluster()
  const denied = requestNodeCertificate({ client, node: 'one', clock: systemClock })
  const requests = client.for(CertificateSigningRequest)
  const [request] = await until(async () => {
    const { items } = await requests.list()
    return items.length > 0 ? items : undefined
  })
  if (request === undefined) throw new Error('no request')
  expect(request.spec).toMatchObject({
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    usages: ['digital signature', 'client auth'],
  })
  await requests.subresource('approval').update(request.metadata.name, {
    ...request,
    status: { conditions: [{ type: 'Denied', status: 'True', reason: 'Test', message: 'not this one' }] },
  } as never)
  await expect(denied).rejects.toMatchObject({ code: 'NODE_CERTIFICATE_DENIED', message: expect.stringContaining('not this one') })
  await expect(requestNodeCertificate({ client, node: 'one', clock: systemClock, timeoutMs: 50 })).rejects.toMatchObject({
    code: 'NODE_CERTIFICATE_PENDING',
    hint: expect.stringContaining('kubectl certificate approve node-csr-'),
  })
})

it('a node whose certificate cannot be read, or has ended, does not start', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'continuo-certificate-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const client = await cluster()
  const host = (file: string) =>
    createHost({
      name: 'node',
      role: 'node',
      inherit: [[ObjectClientCap, client]],
      plugins: [{ slot: 'certificate', plugin: nodeCertificate, config: { file } }],
    })
  await expect(host(join(directory, 'none.pem')).start()).rejects.toThrow(/cannot be read/)
  const past = Date.now() - 20 * dayMs
  const authority = await createAuthority({ commonName: 'test', now: past, validDays: 100 })
  const subject = { commonName: 'system:node:one', organizations: ['system:nodes'] }
  const { certificate, privateKey } = await issueCertificate(authority, { subject, usage: 'client', now: past, validDays: 10 })
  await writeFile(join(directory, 'old.pem'), `${certificate}${privateKey}`)
  await expect(host(join(directory, 'old.pem')).start()).rejects.toThrow(/ended at/)
})

it('a certificate is asked for anew as soon as it is due, and not before', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'continuo-certificate-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const begin = Date.now()
  const clock = createVirtualClock({ now: begin })
  const authority = await createAuthority({ commonName: 'test', now: begin, validDays: 100 })
  const { certificate, privateKey } = await issueCertificate(authority, {
    subject: { commonName: 'system:node:one', organizations: ['system:nodes'] },
    usage: 'client',
    now: begin,
    validDays: 10,
  })
  const file = join(directory, 'node.pem')
  await writeFile(file, `${certificate}${privateKey}`)
  const client = await cluster()
  const host = createHost({
    name: 'node',
    role: 'node',
    clock,
    inherit: [[ObjectClientCap, client]],
    plugins: [{ slot: 'certificate', plugin: nodeCertificate, config: { file } }],
  })
  await host.start()
  onTestFinished(() => host.stop())
  const requests = client.for(CertificateSigningRequest)
  await clock.advance(6.9 * dayMs)
  expect((await requests.list()).items).toEqual([])
  await clock.advance(2.2 * dayMs)
  const [asked] = await until(async () => {
    const { items } = await requests.list()
    return items.length > 0 ? items : undefined
  })
  expect(asked?.metadata.name).toMatch(/^node-csr-/)
  expect(inspectCertificate(await readFile(file, 'utf8')).subject.commonName).toBe('system:node:one')
})
