import type { AccessRule } from '@continuo/workload'
import { at, on } from '../defaults/notation.ts'
import { readyRules } from '../rules/match-rules.ts'

/** What every node may do whatever runs on it. What belongs to single nodes and pods is decided by the graph, not here. */
export const everyNodeMay: readonly AccessRule[] = [
  on('create', 'authentication.k8s.io', 'tokenreviews selfsubjectreviews'),
  on('create', 'authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews'),
  on('read', 'core', 'services'),
  // The agent of this framework programs the service proxy as well.
  on('read', 'discovery.k8s.io', 'endpointslices'),
  on('create patch update', 'core events.k8s.io', 'events'),
  on('get', 'core', 'endpoints'),
  on('create read', 'certificates.k8s.io', 'certificatesigningrequests'),
  on('read', 'storage.k8s.io', 'csidrivers'),
  on('read', 'node.k8s.io', 'runtimeclasses'),
  // Each only in its own name, which the other end looks at.
  at('get', '/node-connection/*'),
  at('get', '/api /api/* /apis /apis/* /openapi /openapi/* /healthz /livez /readyz /version'),
]

/** The same, made ready for questions. */
export const nodeRules = readyRules(everyNodeMay)
