import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '@continuo/workload'
import { rbacGroup } from '../policy/subjects.ts'

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '')

/** Groups of the API are named by words; `core` is the one without a name. */
const groups = (text: string): string[] => words(text).map((word) => (word === 'core' ? '' : word))

/** `read` and `write` stand for what roles give together. */
const verbSets: Readonly<Record<string, string>> = {
  read: 'get list watch',
  write: 'create delete deletecollection patch update',
  all: '*',
}

const verbsOf = (text: string): string[] => words(text).flatMap((word) => words(verbSets[word] ?? word))

/** A rule: what may be done, in which groups, with which resources, and only with these names if any are given. */
export const on = (verbs: string, apiGroups: string, resources: string, names = ''): PolicyRule => ({
  apiGroups: groups(apiGroups),
  resources: words(resources),
  ...(names === '' ? {} : { resourceNames: words(names) }),
  verbs: verbsOf(verbs),
})

/** A rule for paths that are no resources. */
export const at = (verbs: string, urls: string): PolicyRule => ({ nonResourceURLs: words(urls), verbs: verbsOf(verbs) })

export const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate'
const aggregateTo = (name: string): string => `rbac.authorization.k8s.io/aggregate-to-${name}`

const metadata = (name: string, labels: Record<string, string> = {}) => ({
  name,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  annotations: { [autoupdate]: 'true' },
})

/** A default role; `into` names the aggregated role that takes its rules up. */
export const role = (name: string, rules: readonly PolicyRule[], into?: string): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: metadata(name, into === undefined ? {} : { [aggregateTo(into)]: 'true' }),
  rules: [...rules],
})

/** A default role whose rules are those of the roles that go into it. */
export const aggregate = (name: string, into?: string): ClusterRole => ({
  ...role(name, [], into),
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregateTo(name)]: 'true' } }] },
})

/** Gives the role of that name to subjects, as `Group system:masters` or `ServiceAccount kube-system/kube-dns`. */
export const bind = (name: string, roleName: string, ...subjects: readonly string[]): ClusterRoleBinding => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: metadata(name),
  roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: roleName },
  subjects: subjects.map((text) => {
    const [kind = '', who = ''] = text.split(' ')
    if (kind !== 'ServiceAccount') return { kind, apiGroup: rbacGroup, name: who }
    const [namespace = '', account = ''] = who.split('/')
    return { kind, namespace, name: account }
  }),
})
