import type { StartApi } from '@continuo/testkit'
import { startApi } from '../client-http/running-api.ts'

/** An API that listens, reached over HTTP/2 and TLS: what the suites of plugins take instead of a local client. */
export const overHttp: StartApi = async (plugins) => {
  const api = await startApi({ plugins })
  return { host: api.host, client: await api.connect(), stop: () => api[Symbol.asyncDispose]() }
}
