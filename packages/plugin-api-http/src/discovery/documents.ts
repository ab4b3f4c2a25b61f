import { formatApiVersion, type GroupVersionKind } from '@continuo/core'
import type { DescribedGroup, DescribedResource, DescribedVersion } from './describe-resources.ts'

/** `/api`: the versions of the core group. */
export const apiVersions = (group: DescribedGroup | undefined, address: string): object => ({
  kind: 'APIVersions',
  versions: group?.versions.map((version) => version.version) ?? [],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
})

const groupBody = (group: DescribedGroup): object => {
  const versions = group.versions.map(({ version }) => ({ groupVersion: formatApiVersion({ group: group.name, version }), version }))
  return { name: group.name, versions, preferredVersion: versions[0] }
}

/** `/apis/<group>`. */
export const apiGroup = (group: DescribedGroup): object => ({ kind: 'APIGroup', apiVersion: 'v1', ...groupBody(group) })

/** `/apis`. */
export const apiGroupList = (groups: readonly DescribedGroup[]): object => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groups.map(groupBody),
})

/** Group and version stand in an entry only when they differ from those of the list. */
const foreign = (kind: GroupVersionKind, group: string, version: string): object =>
  kind.group === group && kind.version === version ? {} : { group: kind.group, version: kind.version }

const resourceEntries = (resource: DescribedResource, group: string, version: string): object[] => [
  {
    name: resource.name,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind.kind,
    verbs: resource.verbs,
    ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
    ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
    ...(resource.storageVersionHash === undefined ? {} : { storageVersionHash: resource.storageVersionHash }),
  },
  ...resource.subresources.map((subresource) => ({
    name: `${resource.name}/${subresource.name}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...foreign(subresource.kind, group, version),
    kind: subresource.kind.kind,
    verbs: subresource.verbs,
  })),
]

/** `/api/v1` and `/apis/<group>/<version>`. */
export const apiResourceList = (group: string, described: DescribedVersion): object => ({
  kind: 'APIResourceList',
  ...(group === '' ? {} : { apiVersion: 'v1' }),
  groupVersion: formatApiVersion({ group, version: described.version }),
  resources: described.resources.flatMap((resource) => resourceEntries(resource, group, described.version)),
})

const aggregatedResource = (resource: DescribedResource): object => ({
  resource: resource.name,
  responseKind: resource.kind,
  scope: resource.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: resource.singular,
  verbs: resource.verbs,
  ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
  ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
  ...(resource.subresources.length === 0
    ? {}
    : { subresources: resource.subresources.map(({ name, kind, verbs }) => ({ subresource: name, responseKind: kind, verbs })) }),
})

/** `/api` and `/apis` in one answer each (KEP-3352). */
export const aggregated = (groups: readonly DescribedGroup[], version: 'v2' | 'v2beta1'): object => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: `apidiscovery.k8s.io/${version}`,
  metadata: {},
  items: groups.map((group) => ({
    metadata: { ...(group.name === '' ? {} : { name: group.name }), creationTimestamp: null },
    versions: group.versions.map((described) => ({
      version: described.version,
      resources: described.resources.map(aggregatedResource),
      freshness: described.freshness ?? 'Current',
    })),
  })),
})
