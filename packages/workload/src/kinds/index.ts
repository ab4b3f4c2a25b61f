import type { ResourceDefinition } from '@continuo/core'
import { mutatingAdmissionPolicyResource } from './admission-registration/mutating-admission-policy.ts'
import { mutatingAdmissionPolicyBindingResource } from './admission-registration/mutating-admission-policy-binding.ts'
import { mutatingWebhookConfigurationResource } from './admission-registration/mutating-webhook-configuration.ts'
import { validatingAdmissionPolicyResource } from './admission-registration/validating-admission-policy.ts'
import { validatingAdmissionPolicyBindingResource } from './admission-registration/validating-admission-policy-binding.ts'
import { validatingWebhookConfigurationResource } from './admission-registration/validating-webhook-configuration.ts'
import { apiServiceResource } from './apiregistration/api-service.ts'
import { controllerRevisionResource } from './apps/controller-revision.ts'
import { daemonSetResource } from './apps/daemon-set.ts'
import { deploymentResource } from './apps/deployment.ts'
import { replicaSetResource } from './apps/replica-set.ts'
import { statefulSetResource } from './apps/stateful-set.ts'
import { horizontalPodAutoscalerResource } from './autoscaling/horizontal-pod-autoscaler.ts'
import { cronJobResource } from './batch/cron-job.ts'
import { jobResource } from './batch/job.ts'
import { certificateSigningRequestResource } from './certificates/certificate-signing-request.ts'
import { configMapResource } from './core/config-map.ts'
import { endpointsResource } from './core/endpoints.ts'
import { limitRangeResource } from './core/limit-range.ts'
import { nodeResource } from './core/node.ts'
import { persistentVolumeResource } from './core/persistent-volume.ts'
import { persistentVolumeClaimResource } from './core/persistent-volume-claim.ts'
import { podResource } from './core/pod.ts'
import { podTemplateResource } from './core/pod-template.ts'
import { replicationControllerResource } from './core/replication-controller.ts'
import { resourceQuotaResource } from './core/resource-quota.ts'
import { secretResource } from './core/secret.ts'
import { serviceResource } from './core/service.ts'
import { serviceAccountResource } from './core/service-account.ts'
import { endpointSliceResource } from './discovery/endpoint-slice.ts'
import { flowSchemaResource } from './flowcontrol/flow-schema.ts'
import { priorityLevelConfigurationResource } from './flowcontrol/priority-level-configuration.ts'
import { ingressResource } from './networking/ingress.ts'
import { ingressClassResource } from './networking/ingress-class.ts'
import { ipAddressResource } from './networking/ip-address.ts'
import { networkPolicyResource } from './networking/network-policy.ts'
import { serviceCidrResource } from './networking/service-cidr.ts'
import { runtimeClassResource } from './node/runtime-class.ts'
import { podDisruptionBudgetResource } from './policy/pod-disruption-budget.ts'
import { clusterRoleResource } from './rbac/cluster-role.ts'
import { clusterRoleBindingResource } from './rbac/cluster-role-binding.ts'
import { roleResource } from './rbac/role.ts'
import { roleBindingResource } from './rbac/role-binding.ts'
import { deviceClassResource } from './resource/device-class.ts'
import { resourceClaimResource } from './resource/resource-claim.ts'
import { resourceClaimTemplateResource } from './resource/resource-claim-template.ts'
import { resourceSliceResource } from './resource/resource-slice.ts'
import { priorityClassResource } from './scheduling/priority-class.ts'
import { csiDriverResource } from './storage/csi-driver.ts'
import { csiNodeResource } from './storage/csi-node.ts'
import { csiStorageCapacityResource } from './storage/csi-storage-capacity.ts'
import { storageClassResource } from './storage/storage-class.ts'
import { volumeAttachmentResource } from './storage/volume-attachment.ts'
import { volumeAttributesClassResource } from './storage/volume-attributes-class.ts'

export { MutatingAdmissionPolicy, mutatingAdmissionPolicyResource } from './admission-registration/mutating-admission-policy.ts'
export {
  MutatingAdmissionPolicyBinding,
  mutatingAdmissionPolicyBindingResource,
} from './admission-registration/mutating-admission-policy-binding.ts'
export {
  MutatingWebhookConfiguration,
  mutatingWebhookConfigurationResource,
} from './admission-registration/mutating-webhook-configuration.ts'
export { ValidatingAdmissionPolicy, validatingAdmissionPolicyResource } from './admission-registration/validating-admission-policy.ts'
export {
  ValidatingAdmissionPolicyBinding,
  validatingAdmissionPolicyBindingResource,
} from './admission-registration/validating-admission-policy-binding.ts'
export {
  ValidatingWebhookConfiguration,
  validatingWebhookConfigurationResource,
} from './admission-registration/validating-webhook-configuration.ts'

export { APIService, apiServiceResource } from './apiregistration/api-service.ts'
export { ControllerRevision, controllerRevisionResource } from './apps/controller-revision.ts'
export { DaemonSet, daemonSetResource } from './apps/daemon-set.ts'
export { Deployment, deploymentResource } from './apps/deployment.ts'
export { ReplicaSet, replicaSetResource } from './apps/replica-set.ts'
export { StatefulSet, statefulSetResource } from './apps/stateful-set.ts'
export { HorizontalPodAutoscaler, horizontalPodAutoscalerResource } from './autoscaling/horizontal-pod-autoscaler.ts'
export { CronJob, cronJobResource } from './batch/cron-job.ts'
export { Job, jobResource } from './batch/job.ts'
export { CertificateSigningRequest, certificateSigningRequestResource } from './certificates/certificate-signing-request.ts'
export { ConfigMap, configMapResource } from './core/config-map.ts'
export { Endpoints, endpointsResource } from './core/endpoints.ts'
export { LimitRange, limitRangeResource } from './core/limit-range.ts'
export { Node, nodeResource } from './core/node.ts'
export { PersistentVolume, persistentVolumeResource } from './core/persistent-volume.ts'
export { PersistentVolumeClaim, persistentVolumeClaimResource } from './core/persistent-volume-claim.ts'
export { Pod, podResource } from './core/pod.ts'
export { PodTemplate, podTemplateResource } from './core/pod-template.ts'
export { ReplicationController, replicationControllerResource } from './core/replication-controller.ts'
export { ResourceQuota, resourceQuotaResource } from './core/resource-quota.ts'
export { Secret, secretResource } from './core/secret.ts'
export { Service, serviceResource } from './core/service.ts'
export { ServiceAccount, serviceAccountResource } from './core/service-account.ts'
export { EndpointSlice, endpointSliceResource } from './discovery/endpoint-slice.ts'
export { FlowSchema, flowSchemaResource } from './flowcontrol/flow-schema.ts'
export { PriorityLevelConfiguration, priorityLevelConfigurationResource } from './flowcontrol/priority-level-configuration.ts'
export { Ingress, ingressResource } from './networking/ingress.ts'
export { IngressClass, ingressClassResource } from './networking/ingress-class.ts'
export { IPAddress, ipAddressResource } from './networking/ip-address.ts'
export { NetworkPolicy, networkPolicyResource } from './networking/network-policy.ts'
export { ServiceCIDR, serviceCidrResource } from './networking/service-cidr.ts'
export { RuntimeClass, runtimeClassResource } from './node/runtime-class.ts'
export { PodDisruptionBudget, podDisruptionBudgetResource } from './policy/pod-disruption-budget.ts'
export { ClusterRole, clusterRoleResource } from './rbac/cluster-role.ts'
export { ClusterRoleBinding, clusterRoleBindingResource } from './rbac/cluster-role-binding.ts'
export { Role, roleResource } from './rbac/role.ts'
export { RoleBinding, roleBindingResource } from './rbac/role-binding.ts'
export { DeviceClass, deviceClassResource } from './resource/device-class.ts'
export { ResourceClaim, resourceClaimResource } from './resource/resource-claim.ts'
export { ResourceClaimTemplate, resourceClaimTemplateResource } from './resource/resource-claim-template.ts'
export { ResourceSlice, resourceSliceResource } from './resource/resource-slice.ts'
export { PriorityClass, priorityClassResource } from './scheduling/priority-class.ts'
export { CSIDriver, csiDriverResource } from './storage/csi-driver.ts'
export { CSINode, csiNodeResource } from './storage/csi-node.ts'
export { CSIStorageCapacity, csiStorageCapacityResource } from './storage/csi-storage-capacity.ts'
export { StorageClass, storageClassResource } from './storage/storage-class.ts'
export { VolumeAttachment, volumeAttachmentResource } from './storage/volume-attachment.ts'
export { VolumeAttributesClass, volumeAttributesClassResource } from './storage/volume-attributes-class.ts'

/** Every resource of this package, in the order in which discovery lists them. */
export const workloadResources: readonly ResourceDefinition[] = [
  nodeResource,
  podResource,
  serviceResource,
  endpointsResource,
  configMapResource,
  secretResource,
  serviceAccountResource,
  replicationControllerResource,
  persistentVolumeResource,
  persistentVolumeClaimResource,
  resourceQuotaResource,
  limitRangeResource,
  podTemplateResource,
  deploymentResource,
  replicaSetResource,
  daemonSetResource,
  statefulSetResource,
  controllerRevisionResource,
  jobResource,
  cronJobResource,
  horizontalPodAutoscalerResource,
  podDisruptionBudgetResource,
  roleResource,
  roleBindingResource,
  clusterRoleResource,
  clusterRoleBindingResource,
  ingressResource,
  ingressClassResource,
  networkPolicyResource,
  endpointSliceResource,
  storageClassResource,
  priorityClassResource,
  runtimeClassResource,
  certificateSigningRequestResource,
  mutatingAdmissionPolicyResource,
  mutatingAdmissionPolicyBindingResource,
  mutatingWebhookConfigurationResource,
  validatingAdmissionPolicyResource,
  validatingAdmissionPolicyBindingResource,
  validatingWebhookConfigurationResource,
  apiServiceResource,
  flowSchemaResource,
  priorityLevelConfigurationResource,
  ipAddressResource,
  serviceCidrResource,
  deviceClassResource,
  resourceClaimResource,
  resourceClaimTemplateResource,
  resourceSliceResource,
  csiDriverResource,
  csiNodeResource,
  csiStorageCapacityResource,
  volumeAttachmentResource,
  volumeAttributesClassResource,
]
