import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthority, issueCertificate, type KeyPair } from '@continuo/lib-certificates'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { EtcdStore } from '../../packages/plugin-store-etcd/src/index.ts'
import { temporaryDirectory } from '../support/cluster-process.ts'
import { type Etcd, etcdMissing, etcdNote, startEtcd } from '../support/etcd.ts'

const validity = { now: Date.now(), validDays: 1 }

describe.skipIf(etcdMissing !== undefined)(`etcd that asks for certificates${etcdNote}`, () => {
  let etcd: Etcd
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let authority: KeyPair
  let client: KeyPair
  beforeAll(async () => {
    directory = await temporaryDirectory('etcd-tls')
    authority = await createAuthority({ commonName: 'etcd', ...validity })
    const server = await issueCertificate(authority, {
      subject: { commonName: 'member' },
      usage: 'peer',
      names: ['127.0.0.1'],
      ...validity,
    })
    client = await issueCertificate(authority, { subject: { commonName: 'continuo' }, usage: 'client', ...validity })
    const file = async (name: string, text: string) => {
      await writeFile(join(directory.path, name), text)
      return join(directory.path, name)
    }
    const tls = {
      ca: await file('ca.crt', authority.certificate),
      cert: await file('server.crt', server.certificate),
      key: await file('server.key', server.privateKey),
    }
    etcd = await startEtcd({ tls })
  })
  afterAll(async () => {
    await etcd?.stop()
    await directory?.remove()
  })

  const opened = (tls: { ca?: string; cert?: string; key?: string }): EtcdStore => {
    const store = new EtcdStore({ endpoints: etcd.endpoints, prefix: 'tls:', requestTimeoutMs: 1_000, tls })
    onTestFinished(() => store.close())
    return store
  }

  it('takes a client that shows a certificate of its authority, for calls and watches', async () => {
    const store = opened({ ca: authority.certificate, cert: client.certificate, key: client.privateKey })
    expect(await store.connect()).toMatch(/^3\./)
    const after = await store.head()
    const { revision } = await store.commit({ conditions: [], writes: [{ type: 'put', key: '/a', value: Buffer.from('x') }] })
    const batch = await store
      .watch('/', { after, signal: AbortSignal.timeout(5_000) })
      [Symbol.asyncIterator]()
      .next()
    expect(batch.value?.revision).toBe(revision)
  })

  it('refuses one without, and says why', async () => {
    const store = opened({ ca: authority.certificate })
    await expect(store.connect()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/certificate|EPROTO|alert|reset|closed/i),
    })
  })

  it('is refused by a client that does not know its authority', async () => {
    const other = await createAuthority({ commonName: 'other', ...validity })
    const store = opened({ ca: other.certificate, cert: client.certificate, key: client.privateKey })
    await expect(store.connect()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('certificate') })
  })
})
