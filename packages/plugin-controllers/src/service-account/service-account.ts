import { definePlugin, hasReason, Namespace, type ObjectClient, type ObjectKey, optional, watches } from '@continuo/core'
import { ClusterCaCap, ConfigMap, ServiceAccount } from '@continuo/workload'
import { isNamespaceGoing } from '../replica-set/namespace-going.ts'

const accountName = 'default'
const caName = 'kube-root-ca.crt'
const caDescription =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

/** Gives each namespace its default service account and, where the cluster has an authority of its own, the certificate to trust. */
export const serviceAccount = definePlugin({
  name: 'service-account',
  api: '^1',
  requires: { ca: optional(ClusterCaCap) },
  permissions: [
    { apiGroups: [''], resources: ['namespaces', 'serviceaccounts', 'configmaps'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['create'] },
    { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'update'] },
  ],
  setup(ctx) {
    const namespaces = ctx.informer(Namespace)
    const accounts = ctx.informer(ServiceAccount, { fieldSelector: `metadata.name=${accountName}` })
    const maps = ctx.informer(ConfigMap, { fieldSelector: `metadata.name=${caName}` })
    const { ca } = ctx.use
    const home = (
      object: { readonly metadata: { readonly name: string; readonly namespace?: string } },
      name: string,
    ): readonly ObjectKey[] => (object.metadata.name === name ? [{ namespace: '', name: object.metadata.namespace ?? '' }] : [])
    ctx.controller({
      name: 'service-account-controller',
      for: Namespace,
      watches: [watches(ServiceAccount, (account) => home(account, accountName)), watches(ConfigMap, (map) => home(map, caName))],
      async reconcile(key, { client }) {
        const space = namespaces.lister.get(key)
        if (space === undefined || space.metadata.deletionTimestamp !== undefined) return
        if (accounts.lister.get({ namespace: key.name, name: accountName }) === undefined) await createAccount(client, key.name)
        if (ca !== undefined)
          await publishCa(client, key.name, ca.certificate, maps.lister.get({ namespace: key.name, name: caName })?.data?.['ca.crt'])
      },
    })
  },
})

async function createAccount(client: ObjectClient, namespace: string): Promise<void> {
  const account: ServiceAccount = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: accountName, namespace } }
  await createUnlessThere(() => client.for(ServiceAccount).create(account))
}

async function publishCa(client: ObjectClient, namespace: string, certificate: string, published: string | undefined): Promise<void> {
  if (published === certificate) return
  const map: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: caName, namespace, annotations: { 'kubernetes.io/description': caDescription } },
    data: { 'ca.crt': certificate },
  }
  if (published === undefined) return createUnlessThere(() => client.for(ConfigMap).create(map))
  await client.for(ConfigMap).update(map)
}

async function createUnlessThere(create: () => Promise<unknown>): Promise<void> {
  try {
    await create()
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists') && !isNamespaceGoing(error)) throw error
  }
}
