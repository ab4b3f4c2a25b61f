import { writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import type { AnyPlugin, ObjectClient } from '@continuo/core'
import { renderKubeconfig } from '@continuo/lib-certificates'
import { bootstrapTokens, serviceAccountAdmission, serviceAccountTokens } from '@continuo/plugin-authn-service-account'
import { nodeAuthorizer, rbac, reviews } from '@continuo/plugin-authz-rbac'
import { onTestFinished } from 'vitest'
import { localClient, startApi } from '../client-http/running-api.ts'
import { temporaryDirectory } from '../support/cluster-process.ts'

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

/** Who asks: by token, by certificate, or nobody; and for whom. */
export interface Asker {
  readonly token?: string
  readonly certificate?: { readonly name: string; readonly groups: readonly string[] }
  readonly headers?: Readonly<Record<string, string>>
}

export interface AccessApi {
  readonly client: ObjectClient
  readonly authority: string
  readonly server: string
  send(method: string, path: string, asker?: Asker, body?: object): Promise<Answer>
  /** Makes the service account if need be; a token of it. */
  tokenOf(account: string, namespace?: string): Promise<string>
  kubeconfig(token?: string): Promise<string>
}

export const root: Asker = { certificate: { name: 'root', groups: ['system:masters'] } }

const all: Readonly<Record<string, AnyPlugin>> = {
  rbac,
  'node-authorizer': nodeAuthorizer,
  reviews,
  'service-account-tokens': serviceAccountTokens,
  'service-account-admission': serviceAccountAdmission,
  bootstrap: bootstrapTokens,
}

/** A control plane that listens, with everything that decides about access, as the reference cluster has it. Ends with the test. */
export async function startAccessApi(without: readonly string[] = [], authorization = 'AlwaysDeny'): Promise<AccessApi> {
  const api = await startApi({
    config: { authorization },
    plugins: Object.entries(all)
      .filter(([slot]) => !without.includes(slot))
      .map(([slot, plugin]) => ({ slot, plugin })),
  })
  onTestFinished(() => api[Symbol.asyncDispose]())
  const { endpoint } = api
  const client = localClient(api)
  const authority = endpoint.authority ?? ''
  const certificates = new Map<string, Promise<{ readonly certificate: string; readonly privateKey: string }>>()
  const send: AccessApi['send'] = async (method, path, { token, certificate, headers = {} } = {}, body = undefined) => {
    const key = JSON.stringify(certificate)
    const issued = certificate === undefined ? undefined : (certificates.get(key) ?? endpoint.issue(certificate, 1))
    if (issued !== undefined) certificates.set(key, issued)
    const pair = await issued
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, endpoint.url),
        {
          method,
          ca: authority,
          ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.privateKey }),
          agent: false,
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8')
            let parsed: unknown = text
            try {
              parsed = JSON.parse(text)
            } catch {
              // Not everything is JSON.
            }
            resolve({ status: response.statusCode ?? 0, body: parsed })
          })
        },
      )
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
  return {
    client,
    authority,
    server: endpoint.url,
    send,
    async tokenOf(account, namespace = 'default') {
      const at = `/api/v1/namespaces/${namespace}/serviceaccounts`
      await send('POST', at, root, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account } })
      const answer = await send('POST', `${at}/${account}/token`, root, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {},
      })
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
      return answer.body.status.token
    },
    async kubeconfig(token) {
      const directory = await temporaryDirectory('access')
      onTestFinished(directory.remove)
      const file = join(directory.path, 'kubeconfig')
      const who = token === undefined ? { client: endpoint.admin } : { token }
      await writeFile(file, renderKubeconfig({ name: 'test', server: endpoint.url, authority, ...who }))
      return file
    },
  }
}
