import type { LabelSelector, ReplicaSet } from '@continuo/workload'
import { controllerReference } from '../adoption/claim.ts'
import { nextRevision, revisedAnnotations } from './revision.ts'
import { newSetReplicas } from './rolling-update.ts'
import { hashLabel, templateHash } from './template.ts'
import type { DeploymentView, ReplicaSetView } from './views.ts'

/** The replica set for a deployment's present template: its hash in the name, the selector and the labels, and as many replicas as may be. */
export function newReplicaSet(deployment: DeploymentView, old: readonly ReplicaSetView[]): ReplicaSet {
  const template = structuredClone(deployment.spec?.template) as NonNullable<NonNullable<ReplicaSet['spec']>['template']>
  const hash = templateHash(template, deployment.status?.collisionCount)
  const labels = { ...template.metadata?.labels, [hashLabel]: hash }
  const selector = structuredClone(deployment.spec?.selector) as LabelSelector
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: { ...revisedAnnotations(deployment, undefined, nextRevision(old)) },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: newSetReplicas(deployment, old, 0),
      ...(deployment.spec?.minReadySeconds === undefined ? {} : { minReadySeconds: deployment.spec.minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } } as NonNullable<ReplicaSet['spec']>['template'] & object,
    },
  }
}
