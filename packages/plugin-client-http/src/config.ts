import { z } from 'zod'
import { accessProblems } from './access/connection-settings.ts'

const text = z.string().min(1)
const seconds = z.number().positive()
const positive = z.number().int().positive()

/** Configuration of the plugin `client-http`. Either `server` with what belongs to it, or `kubeconfig`. */
export const clientHttpConfig = z
  .strictObject({
    server: text.optional().describe('URL of the API, as https://10.0.0.1:6443. Plain http:// is for the loopback of this machine alone.'),
    ca: text.optional().describe("PEM of the authority that signed the server's certificate. Default: those of the platform."),
    caFile: text.optional().describe('The same in a file, which is read again with each connection.'),
    cert: text.optional().describe('PEM of the client certificate.'),
    certFile: text.optional().describe('The same in a file, which is read again with each connection.'),
    key: text.optional().describe('PEM of the private key of `cert`.'),
    keyFile: text.optional().describe('The same in a file, which is read again with each connection.'),
    token: text.optional().describe('Bearer token.'),
    tokenFile: text.optional().describe('The same in a file, which is read again every minute and after a 401.'),
    tlsServerName: text.optional().describe("Name in the server's certificate, when it is not the host of `server`."),
    kubeconfig: text.optional().describe('Path of a kubeconfig file, instead of all above.'),
    context: text.optional().describe('Context of the kubeconfig. Default: its current one.'),
    connectTimeoutSeconds: seconds.default(10).describe('Time to make a connection.'),
    requestTimeoutSeconds: seconds.default(60).describe('Time for a whole request with its retries; for a watch until it begins.'),
    keepAliveSeconds: seconds.default(15).describe('Time between two pings of the connection.'),
    pingTimeoutSeconds: seconds.default(10).describe('Time in which a ping must be answered, or the connection is given up.'),
    maxResponseBytes: positive.default(128 * 1024 * 1024).describe('Largest answer that is read.'),
    maxEventBytes: positive.default(8 * 1024 * 1024).describe('Largest event of a watch.'),
    maxInFlight: positive.default(2_000).describe('Requests and watches in flight; one more is refused with 429.'),
  })
  .superRefine((config, ctx) => {
    const direct = ['server', 'ca', 'caFile', 'cert', 'certFile', 'key', 'keyFile', 'token', 'tokenFile', 'tlsServerName'] as const
    if (config.kubeconfig === undefined && config.server === undefined) {
      ctx.addIssue({ code: 'custom', path: ['server'], message: 'is missing: give it, or kubeconfig' })
    }
    if (config.kubeconfig === undefined && config.context !== undefined) {
      ctx.addIssue({ code: 'custom', path: ['context'], message: 'stands without kubeconfig' })
    }
    for (const field of direct) {
      if (config.kubeconfig !== undefined && config[field] !== undefined) {
        ctx.addIssue({ code: 'custom', path: [field], message: 'stands beside kubeconfig, which says it already' })
      }
    }
    for (const { field, message } of accessProblems(config)) ctx.addIssue({ code: 'custom', path: [field], message })
  })

export type ClientHttpConfig = z.infer<typeof clientHttpConfig>
