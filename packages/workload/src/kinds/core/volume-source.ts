import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { PersistentVolumeSpec } from '../../generated/types/core-v1.ts'
import { checkNodeSelector } from '../../pod-spec/check-node-selector.ts'
import { checkName, isDnsSubdomain } from '../../rules/names.ts'
import { checkSecretReference, checkStorageSources } from '../../rules/volume-sources.ts'
import { checkDriverName } from '../storage/csi-driver-name.ts'

/** Fields of a volume's spec that say where its bytes are. */
const sources = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'csi',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'glusterfs',
  'hostPath',
  'iscsi',
  'local',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
] as const

const secretsOfCsi = ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const

/** Where a volume's bytes are: in exactly one place (`pkg/apis/core/validation`, ValidatePersistentVolumeSpec). */
export function checkVolumeSource(spec: DeepReadonly<PersistentVolumeSpec>, path: string, errors: FieldError[]): void {
  const given = sources.filter((field) => spec[field] !== undefined)
  if (given.length === 0) errors.push(fieldError.required(path, 'must specify a volume type'))
  for (const field of given.slice(1)) errors.push(fieldError.forbidden(`${path}.${field}`, 'may not specify more than 1 volume type'))
  checkStorageSources(spec, path, errors)
  const { hostPath, local, nfs, csi, nodeAffinity, cinder, storageos, azureFile } = spec
  for (const [name, source] of Object.entries({ cinder, storageos })) {
    const { secretRef } = source ?? {}
    if (secretRef === undefined) continue
    if (!secretRef.name) errors.push(fieldError.required(`${path}.${name}.secretRef.name`))
    if (!secretRef.namespace) errors.push(fieldError.required(`${path}.${name}.secretRef.namespace`))
  }
  if (azureFile?.secretNamespace === '') errors.push(fieldError.required(`${path}.azureFile.secretNamespace`))
  if (hostPath !== undefined) {
    checkPath(hostPath.path, `${path}.hostPath.path`, errors)
    if (isRoot(hostPath.path) && spec.persistentVolumeReclaimPolicy === 'Recycle')
      errors.push(fieldError.forbidden(`${path}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'"))
  }
  if (local !== undefined) {
    checkPath(local.path, `${path}.local.path`, errors)
    if (nodeAffinity === undefined) errors.push(fieldError.required(`${path}.nodeAffinity`, 'Local volume requires node affinity'))
  }
  if (nfs !== undefined) {
    if (!nfs.server) errors.push(fieldError.required(`${path}.nfs.server`))
    if (!nfs.path) errors.push(fieldError.required(`${path}.nfs.path`))
    else if (!nfs.path.startsWith('/')) errors.push(fieldError.invalid(`${path}.nfs.path`, nfs.path, 'must be an absolute path'))
  }
  if (csi !== undefined) {
    checkDriverName(csi.driver, `${path}.csi.driver`, errors)
    if (!csi.volumeHandle) errors.push(fieldError.required(`${path}.csi.volumeHandle`))
    for (const name of secretsOfCsi) checkSecretReference(csi[name], `${path}.csi.${name}`, errors)
  }
  if (nodeAffinity?.required !== undefined) checkNodeSelector(nodeAffinity.required, `${path}.nodeAffinity.required`, errors)
  else if (nodeAffinity !== undefined)
    errors.push(fieldError.required(`${path}.nodeAffinity.required`, 'must specify required node constraints'))
  if (spec.storageClassName) checkName(isDnsSubdomain, spec.storageClassName, `${path}.storageClassName`, errors)
  if (spec.volumeAttributesClassName === '')
    errors.push(fieldError.required(`${path}.volumeAttributesClassName`, 'an empty string is disallowed'))
  else if (spec.volumeAttributesClassName !== undefined) {
    checkName(isDnsSubdomain, spec.volumeAttributesClassName, `${path}.volumeAttributesClassName`, errors)
    if (csi === undefined) errors.push(fieldError.required(`${path}.csi`, 'has to be specified when using volumeAttributesClassName'))
  }
}

/** The part of a spec that says where the bytes are. */
export const volumeSourceOf = (spec: DeepReadonly<PersistentVolumeSpec> | undefined): unknown =>
  Object.fromEntries(sources.filter((field) => spec?.[field] !== undefined).map((field) => [field, spec?.[field]]))

const isRoot = (path: string): boolean => /^\/+(\.?\/*)*$/.test(path)

function checkPath(path: string, at: string, errors: FieldError[]): void {
  if (!path) errors.push(fieldError.required(at))
  else if (path.split('/').includes('..')) errors.push(fieldError.invalid(at, path, "must not contain '..'"))
}
