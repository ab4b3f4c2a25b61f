import { ContinuoError } from '@continuo/core'
import { z } from 'zod'

const hostPort = /^(\[[0-9a-fA-F:]+\]|[^\s:[\]/]+):(\d{1,5})$/

/** `HOST:PORT` in parts; undefined for anything else. */
export function parseListen(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = hostPort.exec(text)
  const port = Number(match?.[2])
  if (match === null || port > 65_535) return undefined
  return { host: (match[1] as string).replace(/^\[(.*)\]$/, '$1'), port }
}

/** As {@link parseListen}. Throws `API_LISTEN` for anything else. */
export function readListen(text: string): { readonly host: string; readonly port: number } {
  const address = parseListen(text)
  if (address !== undefined) return address
  throw new ContinuoError('API_LISTEN', `the API cannot listen on ${JSON.stringify(text)}: it must be HOST:PORT`, {
    hint: 'for example 127.0.0.1:6443',
  })
}

const positive = z.number().int().positive()

const limits = z
  .strictObject({
    reads: positive.default(400).describe('Gets and lists in flight; one more is 429.'),
    writes: positive.default(200).describe('Writes in flight; one more is 429. Leases are exempt.'),
    longRunning: positive.default(10_000).describe('Open watches and streams.'),
    connections: positive.default(20_000).describe('Open connections; one more is closed at once.'),
    bodyBytes: positive.default(3 * 1024 * 1024).describe('Largest body of a request, after decompression; more is 413.'),
    bodyTimeoutSeconds: z.number().positive().default(30).describe('Time for a whole body to arrive; slower is 408.'),
    headerBytes: positive.default(64 * 1024).describe('Largest header of a request; more is 431.'),
  })
  .prefault({})

/** Configuration of the plugin `api-http`. */
export const apiHttpConfig = z.strictObject({
  listen: z
    .string()
    .refine((text) => parseListen(text) !== undefined, 'must be HOST:PORT, as 127.0.0.1:6443')
    .optional()
    .describe('Where to listen; port 0 takes a free one. Default: what the host was told, else 127.0.0.1:6443.'),
  advertise: z
    .string()
    .min(1)
    .optional()
    .describe('Host name or address by which clients reach the server. Default: the one it listens on, 127.0.0.1 for a wildcard.'),
  tls: z.boolean().default(true).describe('false: plain HTTP/1.1 without authentication by certificate. Only for a loopback address.'),
  certificateDir: z
    .string()
    .min(1)
    .optional()
    .describe('Where the authority and its certificates are kept. Default: `pki` below the data directory of the host.'),
  names: z
    .array(z.string().min(1))
    .default([])
    .describe('Further DNS names and addresses for the certificate of the server, such as the address of its service.'),
  authorization: z
    .enum(['AlwaysAllow', 'AlwaysDeny'])
    .default('AlwaysAllow')
    .describe('What happens to authenticated users about whom no authorizer decides.'),
  watchTimeoutSeconds: positive.default(1_800).describe('Watches without a timeout of their own end after this time to twice it.'),
  watchRightsSeconds: positive
    .default(10)
    .describe('How often the rights of open watches are looked at again; one whose user may no longer watch ends.'),
  limits,
})

export type ApiHttpConfig = z.infer<typeof apiHttpConfig>
