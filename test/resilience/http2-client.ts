import { readFile } from 'node:fs/promises'
import { type ClientHttp2Session, connect } from 'node:http2'

export interface Answered {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly ms: number
}

/** A session with the certificate of a kubeconfig. */
export async function connectAs(kubeconfig: string, server: string): Promise<ClientHttp2Session> {
  const text = await readFile(kubeconfig, 'utf8')
  const pem = (name: string): Buffer => Buffer.from(new RegExp(`${name}: "?([^"\\s]+)"?`).exec(text)?.[1] ?? '', 'base64')
  const session = connect(server, {
    ca: pem('certificate-authority-data'),
    cert: pem('client-certificate-data'),
    key: pem('client-key-data'),
  })
  session.on('error', () => {})
  return session
}

/** One request on behalf of a user, over a session that is shared with others. A body is a merge patch. */
export const ask = (session: ClientHttp2Session, user: string, path: string, method = 'GET', body?: object): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const began = performance.now()
    const stream = session.request({
      ':method': method,
      ':path': path,
      'impersonate-user': user,
      ...(body === undefined ? {} : { 'content-type': 'application/merge-patch+json' }),
    })
    let status = 0
    let retryAfter: string | undefined
    stream.on('response', (headers) => {
      status = Number(headers[':status'])
      retryAfter = headers['retry-after'] as string | undefined
    })
    stream.on('error', reject)
    stream.on('end', () => resolve({ status, retryAfter, ms: performance.now() - began }))
    stream.resume()
    stream.end(body === undefined ? undefined : JSON.stringify(body))
  })
