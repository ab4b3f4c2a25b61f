import type { ClusterRoleBinding } from '@continuo/workload'
import { bind } from './notation.ts'

/** Who has which default role from the start: facts of Kubernetes 1.36. */
export const defaultClusterRoleBindings: readonly ClusterRoleBinding[] = [
  bind('cluster-admin', 'cluster-admin', 'Group system:masters'),
  bind('system:monitoring', 'system:monitoring', 'Group system:monitoring'),
  bind('system:discovery', 'system:discovery', 'Group system:authenticated'),
  bind('system:basic-user', 'system:basic-user', 'Group system:authenticated'),
  bind('system:public-info-viewer', 'system:public-info-viewer', 'Group system:authenticated', 'Group system:unauthenticated'),
  bind('system:node-proxier', 'system:node-proxier', 'User system:kube-proxy'),
  bind('system:kube-controller-manager', 'system:kube-controller-manager', 'User system:kube-controller-manager'),
  bind('system:kube-dns', 'system:kube-dns', 'ServiceAccount kube-system/kube-dns'),
  bind('system:kube-scheduler', 'system:kube-scheduler', 'User system:kube-scheduler'),
  bind('system:volume-scheduler', 'system:volume-scheduler', 'User system:kube-scheduler'),
  bind('system:node', 'system:node'),
  bind('system:service-account-issuer-discovery', 'system:service-account-issuer-discovery', 'Group system:serviceaccounts'),
]
