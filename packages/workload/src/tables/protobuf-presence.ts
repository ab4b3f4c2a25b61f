/**
 * Scalar fields that Go holds as pointers: there a zero is a value and not an absence. The wire format writes zeros of all
 * other scalars too, and JSON leaves those out. `name` stands for every message, `Message.name` for one.
 * Fields that the schema requires keep their zeros as well and are not listed.
 */
export const presentWhenZero: ReadonlySet<string> = new Set(
  [
    'activeDeadlineSeconds allocateLoadBalancerNodePorts allowPrivilegeEscalation allowVolumeExpansion appProtocol attachRequired',
    'automountServiceAccountToken averageUtilization backoffLimit backoffLimitPerIndex blockOwnerDeletion borrowingLimitPercent',
    'collisionCount completions controller defaultMode deletionGracePeriodSeconds enableServiceLinks endPort expirationSeconds',
    'failedJobsHistoryLimit fsGroup gracePeriodSeconds holderIdentity hostUsers immutable leaseDurationSeconds leaseTransitions',
    'lendablePercent manualSelector maxFailedIndexes minDomains minReplicas mode nominalConcurrencyShares optional orphanDependents',
    'parallelism partition podInfoOnMount privileged procMount progressDeadlineSeconds readOnlyRootFilesystem remainingItemCount',
    'requiresRepublish revisionHistoryLimit runAsGroup runAsNonRoot runAsUser seLinuxMount serving setHostnameAsFQDN',
    'shareProcessNamespace stabilizationWindowSeconds started startingDeadlineSeconds storageCapacity',
    'successfulJobsHistoryLimit suspend targetCPUUtilizationPercentage terminating terminationGracePeriodSeconds tolerationSeconds',
    'ttlSecondsAfterFinished volumeAttributesClassName',
    'DeploymentSpec.replicas Endpoint.hostname EndpointConditions.ready EndpointPort.name EndpointPort.port GRPCAction.service',
    'HorizontalPodAutoscalerStatus.currentCPUUtilizationPercentage HostPathVolumeSource.type PersistentVolumeClaimSpec.storageClassName',
    'PodSpec.priority ReplicaSetSpec.replicas ReplicationControllerSpec.replicas StatefulSetSpec.replicas',
    'TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup',
    'JSONSchemaProps.maximum JSONSchemaProps.minimum JSONSchemaProps.maxLength JSONSchemaProps.minLength JSONSchemaProps.maxItems',
    'JSONSchemaProps.minItems JSONSchemaProps.multipleOf JSONSchemaProps.maxProperties JSONSchemaProps.minProperties',
    'JSONSchemaProps.x-kubernetes-preserve-unknown-fields ValidationRule.optionalOldSelf',
  ].flatMap((line) => line.split(' ')),
)
