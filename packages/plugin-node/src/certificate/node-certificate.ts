import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ClockCap, ContinuoError, definePlugin, RandomCap } from '@continuo/core'
import { writePrivate } from '@continuo/lib-certificates'
import { z } from 'zod'
import { renewalTime } from './renewal-time.ts'
import { requestNodeCertificate } from './request-certificate.ts'

const config = z.strictObject({
  file: z.string().min(1).describe("PEM of the node's certificate and private key, in one file."),
  renewAfter: z
    .number()
    .min(0.1)
    .max(0.9)
    .default(0.8)
    .describe(
      'Part of its life after which the certificate is renewed; up to a tenth earlier or later, so that nodes do not come all at once.',
    ),
  lifeSeconds: z.int().min(600).optional().describe('Life that is asked for. Default: what the signer gives.'),
})

/** Timers do not reach farther; and a clock that was set is noticed. */
const longestSleepMs = 3_600_000
/** Least time between two renewals, and after one that failed. */
const pauseMs = 60_000

async function readCertificate(file: string): Promise<X509Certificate> {
  try {
    return new X509Certificate(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new ContinuoError('NODE_CERTIFICATE_FILE', `the certificate of the node in ${file} cannot be read: ${(cause as Error).message}`, {
      hint: 'join the node again with a new token',
      cause,
    })
  }
}

/** Renews the certificate of a node before it ends. Connections stay; those made later use the new one. For node hosts whose client reads `file`. */
export const nodeCertificate = definePlugin({
  name: 'node-certificate',
  api: '^1',
  roles: ['node'],
  config,
  requires: { clock: ClockCap, random: RandomCap },
  permissions: [{ apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['create', 'get'] }],
  async setup(ctx) {
    const { clock, random, log, signal } = ctx
    const { file, renewAfter, lifeSeconds } = ctx.config
    const expires = ctx.metrics.gauge(
      'node_certificate_expiration_seconds',
      'When the certificate of the node ends, in seconds since 1970.',
    )
    let certificate = await readCertificate(file)
    if (certificate.validToDate.getTime() <= clock.now())
      throw new ContinuoError(
        'NODE_CERTIFICATE_EXPIRED',
        `the certificate of the node in ${file} ended at ${certificate.validToDate.toISOString()}`,
        {
          hint: 'join the node again with a new token from continuo token create',
        },
      )
    const node = /CN=system:node:([^\n]+)/.exec(certificate.subject)?.[1] ?? ''

    const renew = async (): Promise<void> => {
      const pem = await requestNodeCertificate({
        client: ctx.client,
        node,
        clock,
        signal,
        ...(lifeSeconds === undefined ? {} : { seconds: lifeSeconds }),
      })
      await writePrivate(file, pem)
      certificate = new X509Certificate(pem)
      log.info({ node, until: certificate.validToDate.toISOString() }, 'the certificate of the node was renewed')
    }

    const keep = async (): Promise<void> => {
      while (!signal.aborted) {
        expires.set(certificate.validToDate.getTime() / 1_000)
        const due = renewalTime(certificate, renewAfter - 0.1 + random.next() / 5)
        while (!signal.aborted && clock.now() < due) await clock.sleep(Math.min(due - clock.now(), longestSleepMs), signal).catch(() => {})
        if (signal.aborted) return
        await renew().catch((error: unknown) => {
          if (!signal.aborted)
            log.warn({ err: error, until: certificate.validToDate.toISOString() }, 'cannot renew the certificate of the node, trying again')
        })
        await clock.sleep(pauseMs, signal).catch(() => {})
      }
    }
    ctx.onStart('controllers', () => void keep())
  },
})
