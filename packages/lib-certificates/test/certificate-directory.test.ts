import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CertificateDirectory, inspectCertificate, issueCertificate, reasonToRenew, renderKubeconfig } from '../src/index.ts'

const day = 86_400_000
const now = Date.parse('2026-03-01T00:00:00Z')
const server = {
  subject: { commonName: 'continuo-api' },
  usage: 'server' as const,
  names: ['localhost', '127.0.0.1', '::1', 'kubernetes.default.svc'],
  now,
}

let path: string
let directory: CertificateDirectory
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'continuo-certificates-')), 'pki')
  directory = new CertificateDirectory(path)
})
afterEach(() => rm(join(path, '..'), { recursive: true, force: true }))

describe('CertificateDirectory', () => {
  it('keeps the authority and the certificates over restarts', async () => {
    const authority = await directory.ensureAuthority({ commonName: 'continuo', now })
    const first = await directory.ensureCertificate('api', authority, server)
    const again = new CertificateDirectory(path)
    const authorityAgain = await again.ensureAuthority({ commonName: 'continuo', now: now + 100 * day })
    const second = await again.ensureCertificate('api', authorityAgain, { ...server, now: now + 100 * day })
    expect([authority.created, first.created, authorityAgain.created, second.created]).toEqual([true, true, false, false])
    expect(second.certificate).toBe(first.certificate)
    expect(authorityAgain.privateKey).toBe(authority.privateKey)
  })

  it('signs certificates that verify against the authority and bear their names', async () => {
    const authority = await directory.ensureAuthority({ commonName: 'continuo', now })
    const { certificate } = await directory.ensureCertificate('api', authority, server)
    const parsed = new X509Certificate(certificate)
    expect(parsed.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true)
    expect(parsed.checkIssued(new X509Certificate(authority.certificate))).toBe(true)
    expect(parsed.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc')
    expect(parsed.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(parsed.checkHost('example.com')).toBeUndefined()
    expect(new X509Certificate(authority.certificate).ca).toBe(true)
    expect(parsed.ca).toBe(false)
  })

  it('leaves files that only their owner can read, and no drafts', async () => {
    const authority = await directory.ensureAuthority({ commonName: 'continuo', now })
    await directory.ensureCertificate('api', authority, server)
    expect((await readdir(path)).sort()).toEqual(['api.crt', 'api.key', 'ca.crt', 'ca.key'])
    for (const file of await readdir(path)) expect((await stat(join(path, file))).mode & 0o777).toBe(0o600)
    expect((await stat(path)).mode & 0o777).toBe(0o700)
  })

  it('renews a certificate near its end, with a new name, or from another authority', async () => {
    const authority = await directory.ensureAuthority({ commonName: 'continuo', now })
    await directory.ensureCertificate('api', authority, server)
    expect((await directory.ensureCertificate('api', authority, { ...server, now: now + 340 * day })).created).toBe(true)
    expect(
      (await directory.ensureCertificate('api', authority, { ...server, now: now + 340 * day, names: [...server.names, '10.0.0.1'] }))
        .created,
    ).toBe(true)
    const other = await new CertificateDirectory(join(path, 'other')).ensureAuthority({ commonName: 'continuo', now })
    expect((await directory.ensureCertificate('api', other, { ...server, now: now + 340 * day })).created).toBe(true)
  })

  it('makes a damaged certificate anew and refuses a damaged authority', async () => {
    const authority = await directory.ensureAuthority({ commonName: 'continuo', now })
    await directory.ensureCertificate('api', authority, server)
    await writeFile(join(path, 'api.crt'), 'garbage')
    expect((await directory.ensureCertificate('api', authority, server)).created).toBe(true)
    await writeFile(join(path, 'ca.crt'), 'garbage')
    await expect(directory.ensureAuthority({ commonName: 'continuo', now })).rejects.toMatchObject({ code: 'CERT_INVALID' })
  })

  it('refuses an authority that has ended', async () => {
    await directory.ensureAuthority({ commonName: 'continuo', now, validDays: 10 })
    await expect(directory.ensureAuthority({ commonName: 'continuo', now: now + 11 * day })).rejects.toThrow(/2026-03-11/)
  })
})

describe('issueCertificate', () => {
  it('carries the user and its groups, whatever characters they hold', async () => {
    const authority = await directory.ensureAuthority({ commonName: 'continuo', now })
    const subject = { commonName: 'a,b=c+"d"\\e', organizations: ['system:masters', 'x, O=evil'] }
    const { certificate } = await issueCertificate(authority, { subject, usage: 'client', now, validDays: 30 })
    expect(inspectCertificate(certificate).subject).toEqual(subject)
  })

  it('never outlives its authority', async () => {
    const authority = await directory.ensureAuthority({ commonName: 'continuo', now, validDays: 10 })
    const { certificate } = await issueCertificate(authority, { subject: { commonName: 'x' }, usage: 'client', now, validDays: 365 })
    expect(inspectCertificate(certificate).notAfter).toBe(now + 10 * day)
  })
})

describe('reasonToRenew', () => {
  it('names the group that changed', async () => {
    const authority = await directory.ensureAuthority({ commonName: 'continuo', now })
    const pair = await issueCertificate(authority, {
      subject: { commonName: 'x', organizations: ['a'] },
      usage: 'client',
      now,
      validDays: 30,
    })
    expect(reasonToRenew(pair, { authority, subject: { commonName: 'x', organizations: ['a'] }, now, renewBeforeMs: day })).toBeUndefined()
    expect(reasonToRenew(pair, { authority, subject: { commonName: 'x', organizations: ['b'] }, now, renewBeforeMs: day })).toBe(
      'its organizations differ',
    )
  })
})

describe('renderKubeconfig', () => {
  it('renders everything inline', () => {
    const text = renderKubeconfig({
      name: 'dev: "x"',
      server: 'https://127.0.0.1:6443',
      authority: 'CA',
      client: { certificate: 'CRT', privateKey: 'KEY' },
    })
    expect(text).toContain('current-context: "dev: \\"x\\""')
    expect(text).toContain(`client-key-data: ${Buffer.from('KEY').toString('base64')}`)
  })

  it('leaves an empty user without credentials', () => {
    expect(renderKubeconfig({ name: 'x', server: 'http://127.0.0.1:8080' })).toMatch(/ {2}user: \{\}\n$/)
  })
})
