import { readFile } from 'node:fs/promises'
import { Agent, type RequestOptions, request } from 'node:https'

/** What the server answered; `body` is the parsed JSON, or undefined when the answer was none. */
export interface ApiAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: objects of every kind come through here, as JSON
  readonly body: any
}

export interface ApiRequest {
  readonly body?: unknown
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** One event of a watch as it stands on the wire. */
export interface WireEvent {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: objects of every kind come through here, as JSON
  readonly object: any
}

/** The API as bytes on the wire, with the kubeconfig's certificate: nothing is retried, cached or interpreted. */
export interface Api extends Disposable {
  readonly server: string
  /** Throws only when no answer came; `body` that is no string is sent as JSON. */
  send(method: string, path: string, request?: ApiRequest): Promise<ApiAnswer>
  /** As `send`, and throws the answer's text unless its status is 2xx. */
  ok(method: string, path: string, request?: ApiRequest): Promise<ApiAnswer>
  /** Creates or changes an object by server-side apply. `path` is that of its collection. */
  apply(path: string, object: { readonly metadata: { readonly name: string } }): Promise<ApiAnswer>
  /** Events until the server ends the watch or the signal aborts. Resolves when the server has accepted the watch. */
  watch(path: string, signal?: AbortSignal): Promise<AsyncIterable<WireEvent>>
}

export async function openApi(kubeconfig: string): Promise<Api> {
  const text = await readFile(kubeconfig, 'utf8')
  const field = (name: string): string => {
    const found = new RegExp(`${name}: "?([^"\\s]+)"?`).exec(text)?.[1]
    if (found === undefined) throw new Error(`${kubeconfig} has no ${name}`)
    return found
  }
  const pem = (name: string): string => Buffer.from(field(name), 'base64').toString('utf8')
  const server = field('server')
  const tls = { ca: pem('certificate-authority-data'), cert: pem('client-certificate-data'), key: pem('client-key-data') }
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: 64 })
  const base: RequestOptions = { agent, ...tls }

  const send: Api['send'] = (method, path, { body, contentType = 'application/json', headers, signal } = {}) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
      const sent = request(
        new URL(path, server),
        {
          ...base,
          method,
          signal,
          headers: {
            accept: 'application/json',
            ...(payload === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(payload) }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8')
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) })
          })
        },
      )
      sent.on('error', reject)
      sent.end(payload)
    })

  const ok: Api['ok'] = async (method, path, options) => {
    const answer = await send(method, path, options)
    if (answer.status < 200 || answer.status > 299) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer
  }

  return {
    server,
    send,
    ok,
    apply: (path, object) =>
      ok('PATCH', `${path}/${object.metadata.name}?fieldManager=test&force=true`, {
        body: object,
        contentType: 'application/apply-patch+yaml',
      }),
    watch: (path, signal) =>
      new Promise((resolve, reject) => {
        const sent = request(new URL(path, server), { ...base, signal, headers: { accept: 'application/json' } }, (response) => {
          if (response.statusCode === 200) resolve(events(response))
          else response.setEncoding('utf8').once('data', (text) => reject(new Error(`watch ${path}: ${response.statusCode} ${text}`)))
        })
        sent.on('error', reject)
        sent.end()
      }),
    [Symbol.dispose]: () => agent.destroy(),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function* events(response: AsyncIterable<Buffer>): AsyncGenerator<WireEvent> {
  let rest = ''
  try {
    for await (const chunk of response) {
      const lines = (rest + chunk.toString('utf8')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') yield JSON.parse(line) as WireEvent
    }
  } catch (error) {
    // The server went away, or the test has seen enough: both end the watch.
    if (!['ECONNRESET', 'ABORT_ERR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
