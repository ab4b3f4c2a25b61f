import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { FCVolumeSource, ISCSIPersistentVolumeSource, ISCSIVolumeSource } from '../generated/types/core-v1.ts'
import { checkName, isDnsLabel, isDnsSubdomain } from './names.ts'
import { checkOneOf } from './values.ts'

/** What each source must say, in words of its own and more than an empty one (`pkg/apis/core/validation`). */
const wanted: Readonly<Record<string, readonly string[]>> = {
  awsElasticBlockStore: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  azureFile: ['secretName', 'shareName'],
  cephfs: ['monitors'],
  cinder: ['volumeID'],
  flexVolume: ['driver'],
  gcePersistentDisk: ['pdName'],
  gitRepo: ['repository'],
  glusterfs: ['endpoints', 'path'],
  iscsi: ['targetPortal', 'iqn'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  quobyte: ['registry', 'volume'],
  rbd: ['monitors', 'image'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  storageos: ['volumeName'],
  vsphereVolume: ['volumePath'],
}

/** Partitions are numbered by a byte. */
const partitioned = ['awsElasticBlockStore', 'gcePersistentDisk']

type Source = Readonly<Record<string, unknown>>

const isBlank = (value: unknown): boolean => value === undefined || value === '' || (Array.isArray(value) && value.length === 0)

/** The rules of sources that speak of a storage system; `holder` is a volume of a pod or the spec of a persistent volume. */
export function checkStorageSources(holder: object, path: string, errors: FieldError[]): void {
  for (const [name, value] of Object.entries(holder)) {
    if (value === undefined || typeof value !== 'object') continue
    const source = value as Source
    const at = `${path}.${name}`
    for (const field of wanted[name] ?? []) if (isBlank(source[field])) errors.push(fieldError.required(`${at}.${field}`))
    if (partitioned.includes(name)) checkByte(source.partition as number | undefined, `${at}.partition`, errors)
    if (name === 'azureDisk') checkDisk(source, at, errors)
    else if (name === 'fc') checkFibreChannel(source as FCVolumeSource, at, errors)
    else if (name === 'iscsi') checkIscsi(source as unknown as ISCSIVolumeSource, at, errors)
    else if (name === 'flexVolume') checkOptions(source.options as Source | undefined, `${at}.options`, errors)
  }
}

/** A reference to a secret of a namespace, as persistent volumes make it. */
export function checkSecretReference(
  reference: DeepReadonly<{ name?: string; namespace?: string }> | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (reference === undefined) return
  if (!reference.name) errors.push(fieldError.required(`${path}.name`))
  else checkName(isDnsSubdomain, reference.name, `${path}.name`, errors)
  if (!reference.namespace) errors.push(fieldError.required(`${path}.namespace`))
  else checkName(isDnsLabel, reference.namespace, `${path}.namespace`, errors)
}

function checkByte(value: number | undefined, path: string, errors: FieldError[]): void {
  if (value !== undefined && (value < 0 || value > 255))
    errors.push(fieldError.invalid(path, value, 'must be between 0 and 255, inclusive'))
}

function checkDisk({ cachingMode, kind, diskURI }: Source, path: string, errors: FieldError[]): void {
  checkOneOf(cachingMode as string | undefined, ['None', 'ReadOnly', 'ReadWrite'], `${path}.cachingMode`, errors, false)
  checkOneOf(kind as string | undefined, ['Dedicated', 'Managed', 'Shared'], `${path}.kind`, errors, false)
  if (kind === undefined || !diskURI) return
  const [prefix, form] =
    kind === 'Managed'
      ? ['/subscriptions/', '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}']
      : ['https://', 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd']
  if (!String(diskURI).startsWith(prefix)) errors.push(fieldError.notSupported(`${path}.diskURI`, diskURI, [form]))
}

function checkFibreChannel({ targetWWNs = [], wwids = [], lun }: DeepReadonly<FCVolumeSource>, path: string, errors: FieldError[]): void {
  if (targetWWNs.length === 0 && wwids.length === 0)
    errors.push(fieldError.required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'))
  if (targetWWNs.length === 0) return
  if (wwids.length > 0)
    errors.push(fieldError.invalid(`${path}.targetWWNs`, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'))
  if (lun === undefined) errors.push(fieldError.required(`${path}.lun`, 'lun is required if targetWWNs is specified'))
  checkByte(lun, `${path}.lun`, errors)
}

const initiatorName = /^iqn\.\d{4}-\d{2}\.([a-z0-9-]+(\.[a-z0-9-]+)*)(:[^,;*&$|\s]+)?$/i

function checkIscsi(source: DeepReadonly<ISCSIVolumeSource | ISCSIPersistentVolumeSource>, path: string, errors: FieldError[]): void {
  const { iqn, lun, chapAuthDiscovery, chapAuthSession, secretRef } = source
  if (iqn && !/^(iqn|eui|naa)/.test(iqn))
    errors.push(fieldError.invalid(`${path}.iqn`, iqn, 'must be valid format starting with iqn, eui, or naa'))
  else if (iqn?.startsWith('iqn') && !initiatorName.test(iqn)) errors.push(fieldError.invalid(`${path}.iqn`, iqn, 'must be valid format'))
  checkByte(lun, `${path}.lun`, errors)
  if ((chapAuthDiscovery === true || chapAuthSession === true) && secretRef === undefined)
    errors.push(fieldError.required(`${path}.secretRef`))
}

function checkOptions(options: Source | undefined, path: string, errors: FieldError[]): void {
  for (const key of Object.keys(options ?? {}))
    if (/\.(kubernetes|k8s)\.io$/.test(`.${key.split('/')[0]?.toLowerCase()}`))
      errors.push(fieldError.invalid(`${path}[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'))
}
