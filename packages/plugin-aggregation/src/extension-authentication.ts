import { definePlugin, optional } from '@continuo/core'
import { ApiDelegateCap, ClusterCaCap } from '@continuo/workload'
import { authenticationData, publishAuthentication } from './front-proxy.ts'

const republishMs = 60_000

/**
 * Publishes by which certificates extension servers know the API and its clients, in the ConfigMap `extension-apiserver-authentication` of `kube-system`,
 * where their libraries look for it.
 */
export const extensionAuthentication = definePlugin({
  name: 'extension-authentication',
  api: '^1',
  requires: { delegate: ApiDelegateCap, authority: optional(ClusterCaCap) },
  permissions: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'update'] }],
  setup(ctx) {
    const { delegate, authority } = ctx.use
    const publish = (): Promise<void> =>
      publishAuthentication(ctx.client, authenticationData(delegate.frontProxyAuthority, authority?.certificate))
    ctx.onStart('controllers', publish)
    ctx.every(republishMs, () =>
      publish().catch((error: unknown) => ctx.log.warn({ error }, 'authentication of extension servers could not be published')),
    )
  },
})
