import type { DeleteOptions, KubeObject, ResourceClient, SelectOptions } from '@continuo/core'

const pageSize = 500

/**
 * Deletes what a selection chooses in all namespaces: the API offers it for one namespace at a time, so the namespaces
 * that hold something are found out first. Returns how many objects were chosen.
 */
export async function deleteEverywhere<T extends KubeObject>(
  client: ResourceClient<T>,
  select: SelectOptions,
  options: DeleteOptions,
): Promise<number> {
  const namespaces = new Set<string>()
  let next: string | undefined
  do {
    const page = await client.list({ ...select, namespace: '', limit: pageSize, ...(next === undefined ? {} : { continue: next }) })
    for (const { metadata } of page.items) namespaces.add(metadata.namespace ?? '')
    next = page.metadata.continue
  } while (next !== undefined)
  let count = 0
  for (const namespace of namespaces) count += await client.deleteCollection({ ...select, namespace }, options)
  return count
}
