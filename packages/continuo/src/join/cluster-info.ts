import type { ObjectClient, UnstructuredObject } from '@continuo/core'
import { renderKubeconfig } from '@continuo/lib-certificates'
import { ConfigMap } from '@continuo/workload'
import { type BootstrapToken, controlPlaneGroup, nodeGroup, signDetached, tokenNamespace } from './bootstrap-token.ts'
import { controlPlaneSecret } from './control-plane-keys.ts'

/** What everybody may read, also without credentials: where the API is and which authority signs for it. */
export const clusterInfo = { namespace: 'kube-public', name: 'cluster-info' } as const
export const clusterInfoPath = `/api/v1/namespaces/${clusterInfo.namespace}/configmaps/${clusterInfo.name}`

const fieldManager = 'continuo-token'
const rbac = 'rbac.authorization.k8s.io'
const group = (name: string) => ({ kind: 'Group', apiGroup: rbac, name })

const clusterBinding = (name: string, role: string, subject: string): UnstructuredObject => ({
  apiVersion: `${rbac}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
  subjects: [group(subject)],
})

/** A role on single objects of a namespace, and who has it. */
function reading(name: string, namespace: string, resource: string, object: string, subject: object): readonly UnstructuredObject[] {
  return [
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata: { name, namespace },
      rules: [{ apiGroups: [''], resources: [resource], resourceNames: [object], verbs: ['get'] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [subject],
    },
  ]
}

const requests = 'system:certificates.k8s.io:certificatesigningrequests'

/** Rights of those who join, under the names that kubeadm gives them. */
export const joiningRights: readonly UnstructuredObject[] = [
  ...reading('kubeadm:bootstrap-signer-clusterinfo', clusterInfo.namespace, 'configmaps', clusterInfo.name, {
    kind: 'User',
    apiGroup: rbac,
    name: 'system:anonymous',
  }),
  clusterBinding('kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', nodeGroup),
  clusterBinding('kubeadm:node-autoapprove-bootstrap', `${requests}:nodeclient`, nodeGroup),
  clusterBinding('kubeadm:node-autoapprove-certificate-rotation', `${requests}:selfnodeclient`, 'system:nodes'),
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'kubeadm:get-nodes' },
    rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
  },
  clusterBinding('kubeadm:get-nodes', 'kubeadm:get-nodes', nodeGroup),
  ...reading('continuo:control-plane-keys', tokenNamespace, 'secrets', controlPlaneSecret, group(controlPlaneGroup)),
]

const plurals: Readonly<Record<string, string>> = {
  Role: 'roles',
  RoleBinding: 'rolebindings',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
}

export interface ClusterAddress {
  readonly server: string
  /** PEM. */
  readonly authority: string
}

/** Makes the cluster ready for those who join, and signs what they read first with the token. Changes nothing that is there already. */
export async function publishClusterInfo(
  client: ObjectClient,
  { server, authority }: ClusterAddress,
  token: BootstrapToken,
): Promise<void> {
  for (const object of joiningRights) {
    const target = await client.resource({ group: rbac, version: 'v1', resource: plurals[object.kind] as string })
    await target.apply(object, { fieldManager, force: true })
  }
  const kubeconfig = renderKubeconfig({ name: '', server, authority })
  await client
    .for(ConfigMap)
    .apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...clusterInfo }, data: { kubeconfig } }, { fieldManager, force: true })
  const signatures = { [signatureKey(token.id)]: signDetached(kubeconfig, token) }
  await client.for(ConfigMap).patch(clusterInfo, { type: 'merge', body: { data: signatures } })
}

/** Takes the signature of a token back. */
export async function withdrawSignature(client: ObjectClient, id: string): Promise<void> {
  await client.for(ConfigMap).patch(clusterInfo, { type: 'merge', body: { data: { [signatureKey(id)]: null } } })
}

const signatureKey = (id: string): string => `jws-kubeconfig-${id}`
