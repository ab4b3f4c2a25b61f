import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { ProbeResult, Prober, ProbeTarget } from '@continuo/workload'

interface HttpGet {
  readonly host?: string
  readonly path?: string
  readonly port: number | string
  readonly scheme?: string
  readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
}

/**
 * `httpGet`: success is any status from 200 to 399. A redirect to another host counts as success without being followed;
 * certificates are not verified; no proxy is used. As Kubernetes documents it.
 */
export const httpProbe: Prober = {
  run(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
    const get = target.handler as unknown as HttpGet
    const port = target.port(get.port)
    if (port === undefined) return Promise.resolve({ outcome: 'unknown', message: `couldn't find port: ${JSON.stringify(get.port)}` })
    const secure = get.scheme?.toUpperCase() === 'HTTPS'
    const host = get.host === undefined || get.host === '' ? target.podIP : get.host
    const url = `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}${get.path ?? '/'}`
    const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.36', accept: '*/*', connection: 'close' }
    for (const header of get.httpHeaders ?? []) headers[header.name.toLowerCase()] = header.value
    return new Promise((resolve) => {
      const failed = (error: Error): void =>
        resolve({ outcome: 'failure', message: `Get "${url}": ${signal.aborted ? 'context deadline exceeded' : error.message}` })
      const send = secure ? httpsRequest : httpRequest
      send({ host, port, path: get.path ?? '/', headers, signal, rejectUnauthorized: false, agent: false }, (response) => {
        response.resume()
        const status = response.statusCode ?? 0
        response.on('error', failed)
        response.destroy()
        resolve(
          status >= 200 && status < 400
            ? { outcome: 'success', message: String(status) }
            : { outcome: 'failure', message: `HTTP probe failed with statuscode: ${status}` },
        )
      })
        .on('error', failed)
        .end()
    })
  },
}
