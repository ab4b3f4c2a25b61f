import type { ClusterRole } from '@continuo/workload'
import { aggregate, at, on, role } from './notation.ts'

const events = on('create patch update', 'core events.k8s.io', 'events')
const reviewTokens = on('create', 'authentication.k8s.io', 'tokenreviews')
const reviewAccess = on('create', 'authorization.k8s.io', 'subjectaccessreviews')

/** A role that lets somebody approve the requests of one signer. */
const approver = (signer: string): ClusterRole =>
  role(`system:certificates.k8s.io:${signer}-approver`, [on('approve', 'certificates.k8s.io', 'signers', `kubernetes.io/${signer}`)])

const forUsers: readonly ClusterRole[] = [
  role('cluster-admin', [on('all', '*', '*'), at('all', '*')]),
  aggregate('admin'),
  aggregate('edit', 'admin'),
  aggregate('view', 'edit'),
  role(
    'system:aggregate-to-admin',
    [
      on('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
      on('read write', 'rbac.authorization.k8s.io', 'rolebindings roles'),
    ],
    'admin',
  ),
  role(
    'system:aggregate-to-edit',
    [
      on('read', 'core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
      on('impersonate', 'core', 'serviceaccounts'),
      on('write', 'core', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
      on('create', 'core', 'pods/eviction'),
      on(
        'write',
        'core',
        'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
      ),
      on('create', 'core', 'serviceaccounts/token'),
      on(
        'write',
        'apps',
        'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
      ),
      on('write', 'autoscaling', 'horizontalpodautoscalers'),
      on('write', 'batch', 'cronjobs jobs'),
      on('write', 'policy', 'poddisruptionbudgets'),
      on('write', 'networking.k8s.io', 'ingresses networkpolicies'),
      on('read write', 'coordination.k8s.io', 'leases'),
    ],
    'edit',
  ),
  role(
    'system:aggregate-to-view',
    [
      on(
        'read',
        'core',
        'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
      ),
      on(
        'read',
        'core',
        'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
      ),
      on('read', 'core', 'namespaces'),
      on('read', 'discovery.k8s.io', 'endpointslices'),
      on(
        'read',
        'apps',
        'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
      ),
      on('read', 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
      on('read', 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
      on('read', 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
      on('read', 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
    ],
    'view',
  ),
  role('system:discovery', [at('get', '/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/')]),
  role('system:public-info-viewer', [at('get', '/healthz /livez /readyz /version /version/')]),
  role('system:basic-user', [
    on('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    on('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ]),
  role('system:monitoring', [at('get', '/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*')]),
  role('system:service-account-issuer-discovery', [at('get', '/.well-known/openid-configuration /openid/v1/jwks')]),
]

const forComponents: readonly ClusterRole[] = [
  role('system:auth-delegator', [reviewTokens, reviewAccess]),
  role('system:kube-aggregator', [on('read', 'core', 'endpoints services')]),
  role('system:kube-controller-manager', [
    events,
    on('create', 'coordination.k8s.io', 'leases'),
    on('get update', 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
    on('create', 'core', 'secrets serviceaccounts'),
    on('delete', 'core', 'secrets'),
    on('get', 'core', 'configmaps namespaces secrets serviceaccounts'),
    on('update', 'core', 'secrets serviceaccounts'),
    reviewTokens,
    reviewAccess,
    on('list watch', '*', '*'),
    on('create', 'core', 'serviceaccounts/token'),
  ]),
  role('system:kube-scheduler', [
    events,
    on('create list watch', 'coordination.k8s.io', 'leases'),
    on('get update', 'coordination.k8s.io', 'leases', 'kube-scheduler'),
    on('read', 'core', 'nodes'),
    on('delete read', 'core', 'pods'),
    on('create', 'core', 'bindings pods/binding'),
    on('patch update', 'core', 'pods/status'),
    on('read', 'core', 'replicationcontrollers services'),
    on('read', 'apps', 'replicasets statefulsets'),
    on('read', 'policy', 'poddisruptionbudgets'),
    on('read', 'core', 'persistentvolumeclaims persistentvolumes'),
    reviewTokens,
    reviewAccess,
    on('read', 'storage.k8s.io', 'csinodes csidrivers csistoragecapacities'),
    on('read', 'core', 'namespaces'),
  ]),
  role('system:volume-scheduler', [
    on('read patch update', 'core', 'persistentvolumes persistentvolumeclaims'),
    on('read', 'storage.k8s.io', 'storageclasses'),
  ]),
  role('system:persistent-volume-provisioner', [
    on('create delete read', 'core', 'persistentvolumes'),
    on('read update', 'core', 'persistentvolumeclaims'),
    on('read', 'storage.k8s.io', 'storageclasses'),
    on('watch', 'core', 'events'),
    events,
  ]),
  role('system:kube-dns', [on('list watch', 'core', 'endpoints services')]),
  role('system:kubelet-api-admin', [
    on('read', 'core', 'nodes'),
    on('proxy', 'core', 'nodes'),
    on('all', 'core', 'nodes/log nodes/metrics nodes/proxy nodes/stats'),
  ]),
  role('system:node-bootstrapper', [on('create read', 'certificates.k8s.io', 'certificatesigningrequests')]),
  role('system:node-problem-detector', [on('get', 'core', 'nodes'), on('patch', 'core', 'nodes/status'), events]),
  role('system:node-proxier', [
    on('list watch', 'core', 'endpoints services'),
    on('read', 'core', 'nodes'),
    events,
    on('list watch', 'discovery.k8s.io', 'endpointslices'),
  ]),
  // Bound to nobody: the node authoriser gives nodes what is theirs. It is here for clusters that bind it themselves.
  role('system:node', [
    reviewTokens,
    on('create', 'authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews'),
    on('read', 'core', 'services'),
    on('create read patch update', 'core', 'nodes'),
    on('patch update', 'core', 'nodes/status'),
    on('create patch update', 'core', 'events'),
    on('create delete read', 'core', 'pods'),
    on('patch update', 'core', 'pods/status'),
    on('create', 'core', 'pods/eviction'),
    on('read', 'core', 'configmaps secrets'),
    on('get', 'core', 'persistentvolumeclaims persistentvolumes endpoints'),
    on('create read', 'certificates.k8s.io', 'certificatesigningrequests'),
    on('create delete get patch update', 'coordination.k8s.io', 'leases'),
    on('get', 'storage.k8s.io', 'volumeattachments'),
    on('create', 'core', 'serviceaccounts/token'),
    on('get patch update', 'core', 'persistentvolumeclaims/status'),
    on('read', 'storage.k8s.io', 'csidrivers'),
    on('create delete get patch update', 'storage.k8s.io', 'csinodes'),
    on('read', 'node.k8s.io', 'runtimeclasses'),
  ]),
  role('system:certificates.k8s.io:certificatesigningrequests:nodeclient', [
    on('create', 'certificates.k8s.io', 'certificatesigningrequests/nodeclient'),
  ]),
  role('system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', [
    on('create', 'certificates.k8s.io', 'certificatesigningrequests/selfnodeclient'),
  ]),
  approver('kube-apiserver-client'),
  approver('kube-apiserver-client-kubelet'),
  approver('kubelet-serving'),
  approver('legacy-unknown'),
]

/** The cluster roles that every cluster has: facts of Kubernetes 1.36, without the roles of its built-in controllers, which run here as trusted plugins. */
export const defaultClusterRoles: readonly ClusterRole[] = [...forUsers, ...forComponents]
