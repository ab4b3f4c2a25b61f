import { hasReason } from '../errors/api-error.ts'
import { Namespace } from '../kinds/namespace.ts'
import type { ObjectClient } from './object-client.ts'

/** Namespaces that every cluster has. */
export const systemNamespaces: readonly string[] = ['default', 'kube-node-lease', 'kube-public', 'kube-system']

/** Creates those of the system's namespaces that are missing. */
export async function ensureSystemNamespaces(client: ObjectClient): Promise<void> {
  const namespaces = client.for(Namespace)
  for (const name of systemNamespaces) {
    await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }).catch((error) => {
      if (!hasReason(error, 'AlreadyExists')) throw error
    })
  }
}
