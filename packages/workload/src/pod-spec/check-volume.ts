import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import { isQuantity, parseQuantity } from '@continuo/lib-quantity'
import type { DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume } from '../generated/types/core-v1.ts'
import { checkDriverName } from '../kinds/storage/csi-driver-name.ts'
import { checkRequiredName, isConfigKey, isDnsLabel } from '../rules/names.ts'
import { checkStorageSources } from '../rules/volume-sources.ts'
import { checkRelativePath } from './check-container.ts'
import { checkFieldRef, checkResourceRef } from './check-environment.ts'

const downwardFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
const hostPathTypes = ['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice']

/** The volumes of a pod: unique names, exactly one source each, and the rules of the sources that need no storage system. */
export function checkVolumes(volumes: DeepReadonly<Volume[]> | undefined, path: string, errors: FieldError[]): void {
  const names = new Set<string>()
  volumes?.forEach((volume, index) => {
    const at = `${path}[${index}]`
    checkRequiredName(isDnsLabel, volume.name, `${at}.name`, errors)
    if (names.has(volume.name)) errors.push(fieldError.duplicate(`${at}.name`, volume.name))
    names.add(volume.name)
    const sources = Object.entries(volume).filter(([key, value]) => key !== 'name' && value !== undefined)
    if (sources.length === 0) errors.push(fieldError.required(at, 'must specify a volume type'))
    for (const [kind] of sources.slice(1)) errors.push(fieldError.forbidden(`${at}.${kind}`, 'may not specify more than 1 volume type'))
    checkSource(volume, at, errors)
  })
}

function checkSource(volume: DeepReadonly<Volume>, path: string, errors: FieldError[]): void {
  const { emptyDir, hostPath, secret, configMap, downwardAPI, projected, persistentVolumeClaim, nfs, csi } = volume
  const limit = emptyDir?.sizeLimit
  if (limit !== undefined) {
    if (!isQuantity(limit)) errors.push(fieldError.invalid(`${path}.emptyDir.sizeLimit`, limit, 'must be a valid quantity'))
    else if (parseQuantity(limit).nano < 0n)
      errors.push(fieldError.forbidden(`${path}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
  }
  if (hostPath !== undefined) {
    if (!hostPath.path) errors.push(fieldError.required(`${path}.hostPath.path`))
    else if (hostPath.path.split('/').includes('..'))
      errors.push(fieldError.invalid(`${path}.hostPath.path`, hostPath.path, "must not contain '..'"))
    if (!hostPathTypes.includes(hostPath.type ?? ''))
      errors.push(fieldError.notSupported(`${path}.hostPath.type`, hostPath.type, hostPathTypes))
  }
  if (secret !== undefined) {
    if (!secret.secretName) errors.push(fieldError.required(`${path}.secret.secretName`))
    checkMode(secret.defaultMode, `${path}.secret.defaultMode`, errors)
    checkItems(secret.items, `${path}.secret.items`, errors)
  }
  if (configMap !== undefined) {
    if (!configMap.name) errors.push(fieldError.required(`${path}.configMap.name`))
    checkMode(configMap.defaultMode, `${path}.configMap.defaultMode`, errors)
    checkItems(configMap.items, `${path}.configMap.items`, errors)
  }
  if (downwardAPI !== undefined) {
    checkMode(downwardAPI.defaultMode, `${path}.downwardAPI.defaultMode`, errors)
    checkDownwardFiles(downwardAPI.items, `${path}.downwardAPI.items`, errors)
  }
  if (projected !== undefined) checkProjected(projected, `${path}.projected`, errors)
  if (persistentVolumeClaim !== undefined && !persistentVolumeClaim.claimName)
    errors.push(fieldError.required(`${path}.persistentVolumeClaim.claimName`))
  if (nfs !== undefined) {
    if (!nfs.server) errors.push(fieldError.required(`${path}.nfs.server`))
    if (!nfs.path) errors.push(fieldError.required(`${path}.nfs.path`))
    else if (!nfs.path.startsWith('/')) errors.push(fieldError.invalid(`${path}.nfs.path`, nfs.path, 'must be an absolute path'))
  }
  if (csi !== undefined) {
    checkDriverName(csi.driver, `${path}.csi.driver`, errors)
    const { nodePublishSecretRef: secretRef } = csi
    if (secretRef !== undefined && !secretRef.name) errors.push(fieldError.required(`${path}.csi.nodePublishSecretRef.name`))
  }
  checkStorageSources(volume, path, errors)
}

function checkProjected(projected: DeepReadonly<ProjectedVolumeSource>, path: string, errors: FieldError[]): void {
  checkMode(projected.defaultMode, `${path}.defaultMode`, errors)
  projected.sources?.forEach((source, index) => {
    const at = `${path}.sources[${index}]`
    const given = Object.entries(source).filter(([, value]) => value !== undefined)
    if (given.length === 0) errors.push(fieldError.required(at, 'must specify a source'))
    for (const [kind] of given.slice(1))
      errors.push(fieldError.forbidden(`${at}.${kind}`, 'may not specify more than 1 volume type per source'))
    for (const kind of ['secret', 'configMap'] as const) {
      const reference = source[kind]
      if (reference === undefined) continue
      if (!reference.name) errors.push(fieldError.required(`${at}.${kind}.name`))
      checkItems(reference.items, `${at}.${kind}.items`, errors)
    }
    if (source.downwardAPI !== undefined) checkDownwardFiles(source.downwardAPI.items, `${at}.downwardAPI.items`, errors)
    const token = source.serviceAccountToken
    if (token === undefined) return
    if ((token.expirationSeconds ?? 3600) < 600)
      errors.push(
        fieldError.invalid(
          `${at}.serviceAccountToken.expirationSeconds`,
          token.expirationSeconds,
          'may not specify a duration less than 10 minutes',
        ),
      )
    if (!token.path) errors.push(fieldError.required(`${at}.serviceAccountToken.path`))
  })
}

function checkItems(items: DeepReadonly<KeyToPath[]> | undefined, path: string, errors: FieldError[]): void {
  items?.forEach((item, index) => {
    checkRequiredName(isConfigKey, item.key, `${path}[${index}].key`, errors)
    if (!item.path) errors.push(fieldError.required(`${path}[${index}].path`))
    else checkRelativePath(item.path, `${path}[${index}].path`, errors)
    checkMode(item.mode, `${path}[${index}].mode`, errors)
  })
}

function checkDownwardFiles(items: DeepReadonly<DownwardAPIVolumeFile[]> | undefined, path: string, errors: FieldError[]): void {
  items?.forEach((item, index) => {
    const at = `${path}[${index}]`
    if (!item.path) errors.push(fieldError.required(`${at}.path`))
    else checkRelativePath(item.path, `${at}.path`, errors)
    if (item.fieldRef !== undefined) {
      checkFieldRef(item.fieldRef.fieldPath, `${at}.fieldRef.fieldPath`, errors, downwardFields)
      if (item.resourceFieldRef !== undefined)
        errors.push(fieldError.invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
    } else if (item.resourceFieldRef !== undefined)
      checkResourceRef(item.resourceFieldRef.resource, `${at}.resourceFieldRef.resource`, errors)
    else errors.push(fieldError.required(at, 'one of fieldRef and resourceFieldRef is required'))
    checkMode(item.mode, `${at}.mode`, errors)
  })
}

function checkMode(mode: number | undefined, path: string, errors: FieldError[]): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777))
    errors.push(fieldError.invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive'))
}
