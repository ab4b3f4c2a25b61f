import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { type Api, openApi, type WireEvent } from '../support/api.ts'
import { startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into objects of every kind
export type Stored = any

export const collection = '/api/v1/namespaces/default/configmaps'
export const configMap = (name: string, more: object = {}, metadata: object = {}): Stored => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  ...more,
})

/** What behaviours are written with: requests as they go over the wire, and the objects that they answer. */
export interface BehavingApi {
  readonly api: Api
  /** The object or list of a request that is answered with success. */
  ask(method: string, path: string, body?: unknown, contentType?: string): Promise<Stored>
  /** The status code and the Status of a request that is refused. */
  refused(method: string, path: string, body?: unknown, contentType?: string): Promise<Stored>
  /** The first events of a watch. */
  events(path: string, count: number): Promise<readonly (WireEvent & { readonly object: Stored })[]>
}

/** A control plane for the tests of a file; by default without nodes: what is tested is the API and the controllers of all kinds. */
export function behavingApi(file = 'examples/compositions/api-only.yaml'): () => BehavingApi {
  let behaving: BehavingApi
  let stop: () => Promise<void>
  beforeAll(async () => {
    const directory = await dataDirectory('behaviour')
    const config = fileURLToPath(new URL(`../../${file}`, import.meta.url))
    const process = await startProcess({ dataDir: join(directory.path, 'data'), config })
    const api = await openApi(process.kubeconfig)
    const send = (method: string, path: string, body?: unknown, contentType?: string) =>
      api.send(method, path, { body: body as object, ...(contentType === undefined ? {} : { contentType }) })
    behaving = {
      api,
      async ask(method, path, body, contentType) {
        const answer = await send(method, path, body, contentType)
        if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
        return answer.body
      },
      async refused(method, path, body, contentType) {
        const answer = await send(method, path, body, contentType)
        if (answer.status < 400) throw new Error(`${method} ${path} was not refused: ${answer.status} ${answer.text}`)
        return answer.body
      },
      async events(path, count) {
        const stopped = new AbortController()
        const seen: WireEvent[] = []
        try {
          for await (const event of await api.watch(path, stopped.signal)) {
            seen.push(event)
            if (seen.length === count) break
          }
        } finally {
          stopped.abort()
        }
        return seen as Stored
      },
    }
    stop = async () => {
      api[Symbol.dispose]()
      await process.interrupt()
      await directory.remove()
    }
  })
  afterAll(() => stop?.())
  return () => behaving
}
