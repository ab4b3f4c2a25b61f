import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { PersistentVolumeSpec } from '../../generated/types/core-v1.ts'
import type { VolumeAttachment as VolumeAttachmentObject, VolumeAttachmentSource, VolumeError } from '../../generated/types/storage-v1.ts'
import { checkName, isDnsSubdomain } from '../../rules/names.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { checkVolumeModes } from '../core/access-modes.ts'
import { checkVolumeSource } from '../core/volume-source.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkDriverName } from './csi-driver-name.ts'
import { mapBytes } from './parameters.ts'

export type VolumeAttachment = VolumeAttachmentObject
/** Handle of volumeattachments in storage.k8s.io/v1. */
export const VolumeAttachment = kindOf<VolumeAttachment>('storage.k8s.io/v1', 'volumeattachments')

const maxMetadataBytes = 256 * 1024
const maxMessageBytes = 1024
const maxErrorCode = 2_147_483_647

export const volumeAttachmentResource = workloadResource(VolumeAttachment, {
  table: table<VolumeAttachment>(
    nameColumn(),
    text('Attacher', ({ spec }) => spec.attacher),
    text('PV', ({ spec }) => spec.source?.persistentVolumeName ?? ''),
    text('Node', ({ spec }) => spec.nodeName),
    { name: 'Attached', type: 'boolean', cell: ({ status }) => status?.attached ?? false },
    ageColumn(),
  ),
  strategy: strategyOf<VolumeAttachment>({
    validate({ spec, status }, errors) {
      checkDriverName(spec?.attacher, 'spec.attacher', errors)
      checkSource(spec?.source ?? {}, 'spec.source', errors)
      checkName(isDnsSubdomain, spec?.nodeName ?? '', 'spec.nodeName', errors)
      if (mapBytes(status?.attachmentMetadata) > maxMetadataBytes)
        errors.push(fieldError.tooLong('status.attachmentMetadata', maxMetadataBytes))
      checkError(status?.attachError, 'status.attachError', errors)
      checkError(status?.detachError, 'status.detachError', errors)
    },
    validateUpdate: (next, old, errors) => checkImmutable(next.spec, old.spec, 'spec', errors),
  }),
})

function checkSource(source: DeepReadonly<VolumeAttachmentSource>, path: string, errors: FieldError[]): void {
  const { inlineVolumeSpec, persistentVolumeName: name } = source
  const words = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (inlineVolumeSpec === undefined && name === undefined) errors.push(fieldError.required(path, words))
  else if (inlineVolumeSpec !== undefined && name !== undefined) errors.push(fieldError.forbidden(path, words))
  else if (name === '') errors.push(fieldError.required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName'))
  else if (name !== undefined) checkName(isDnsSubdomain, name, `${path}.persistentVolumeName`, errors)
  else if (inlineVolumeSpec !== undefined) checkInlineVolume(inlineVolumeSpec, `${path}.inlineVolumeSpec`, errors)
}

/** A volume that an old way of attaching was translated to: of a CSI driver, and without what only a volume of its own can say. */
function checkInlineVolume(spec: DeepReadonly<PersistentVolumeSpec>, path: string, errors: FieldError[]): void {
  const elsewhere = 'may not be specified in the context of inline volumes'
  for (const field of ['claimRef', 'nodeAffinity'] as const)
    if (spec[field] !== undefined) errors.push(fieldError.forbidden(`${path}.${field}`, elsewhere))
  if (Object.keys(spec.capacity ?? {}).length > 0) errors.push(fieldError.forbidden(`${path}.capacity`, elsewhere))
  if (spec.storageClassName) errors.push(fieldError.forbidden(`${path}.storageClassName`, elsewhere))
  if (spec.csi === undefined) errors.push(fieldError.required(`${path}.csi`, 'has to be specified in the context of inline volumes'))
  checkVolumeModes(spec.accessModes, `${path}.accessModes`, errors)
  if ((spec.persistentVolumeReclaimPolicy ?? 'Retain') !== 'Retain')
    errors.push(fieldError.forbidden(`${path}.persistentVolumeReclaimPolicy`, 'may only be Retain in the context of inline volumes'))
  if ((spec.volumeMode ?? 'Filesystem') !== 'Filesystem')
    errors.push(
      fieldError.forbidden(`${path}.volumeMode`, 'may not specify volumeMode other than Filesystem in the context of inline volumes'),
    )
  const { nodeAffinity: _nodes, storageClassName: _class, ...source } = spec
  checkVolumeSource(source, path, errors)
}

function checkError(error: DeepReadonly<VolumeError> | undefined, path: string, errors: FieldError[]): void {
  if (Buffer.byteLength(error?.message ?? '') > maxMessageBytes) errors.push(fieldError.tooLong(`${path}.message`, maxMessageBytes))
  if (error?.errorCode !== undefined && error.errorCode < 0)
    errors.push(fieldError.invalid(`${path}.errorCode`, error.errorCode, `must be between 0 and ${maxErrorCode}, inclusive`))
}
