import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { ProbeResult, Prober } from '@continuo/workload'
import { attempt, messageOf } from './attempt.ts'

interface HttpGet {
  readonly host?: string
  readonly path?: string
  readonly port: number | string
  readonly scheme?: string
  readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
}

interface Answer {
  readonly status: number
  readonly location?: string
}

const maxRedirects = 10

/**
 * `httpGet`: success is any status from 200 to 399. Redirects are followed up to ten times on the same host; one to another host counts
 * as success without being followed. Certificates are not verified; no proxy is used. As Kubernetes documents it.
 */
export const httpProbe: Prober = {
  run(target, signal) {
    const get = target.handler as unknown as HttpGet
    const port = target.port(get.port)
    if (port === undefined) return Promise.resolve({ outcome: 'unknown', message: `couldn't find port: ${JSON.stringify(get.port)}` })
    const scheme = get.scheme?.toUpperCase() === 'HTTPS' ? 'https' : 'http'
    const host = get.host === undefined || get.host === '' ? target.podIP : get.host
    const path = get.path?.startsWith('/') === true ? get.path : `/${get.path ?? ''}`
    const text = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`
    return attempt(signal, `Get "${text}": context deadline exceeded`, async () => follow(new URL(text), headersOf(get), signal))
  },
}

function headersOf(get: HttpGet): OutgoingHttpHeaders {
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.36', accept: '*/*', connection: 'close' }
  for (const header of get.httpHeaders ?? []) headers[header.name.toLowerCase()] = header.value
  return headers
}

async function follow(first: URL, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<ProbeResult> {
  let url = first
  for (let hop = 0; hop <= maxRedirects; hop++) {
    let answer: Answer
    try {
      answer = await send(url, headers, signal)
    } catch (error) {
      return { outcome: 'failure', message: `Get "${url}": ${messageOf(error)}` }
    }
    const { status, location } = answer
    const next = status >= 300 && status < 400 && location !== undefined ? URL.parse(location, url.href) : null
    if (next?.hostname === url.hostname) {
      url = next
      continue
    }
    if (status < 200 || status >= 400) return { outcome: 'failure', message: `HTTP probe failed with statuscode: ${status}` }
    return { outcome: 'success', message: next === null ? String(status) : `Probe terminated redirects, Response body: ${status}` }
  }
  return { outcome: 'failure', message: `Get "${first}": stopped after ${maxRedirects} redirects` }
}

/** Sends one request and does not wait for the body. Throws what the connection throws. */
function send(url: URL, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest
    request(url, { headers, signal, rejectUnauthorized: false, agent: false }, (response) => {
      response.on('error', () => {})
      resolve({ status: response.statusCode ?? 0, location: response.headers.location })
      response.destroy()
    })
      .on('error', reject)
      .end()
  })
}
