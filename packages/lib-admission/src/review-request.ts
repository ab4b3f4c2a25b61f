import type { AdmissionRequest, GroupVersionKind, GroupVersionResource } from '@continuo/core'
import type { AdmissionSubject } from './admission-subject.ts'
import type { ResourceForm } from './equivalents.ts'

/** `request` of an AdmissionReview, without uid and objects: what CEL expressions call `request`, too. */
export interface ReviewRequest {
  readonly kind: GroupVersionKind
  readonly resource: GroupVersionResource
  readonly subResource?: string
  readonly requestKind: GroupVersionKind
  readonly requestResource: GroupVersionResource
  readonly requestSubResource?: string
  readonly name?: string
  readonly namespace?: string
  readonly operation: AdmissionRequest['operation']
  readonly userInfo: {
    readonly username: string
    readonly uid?: string
    readonly groups?: readonly string[]
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
  readonly dryRun: boolean
  /** Absent for CONNECT. */
  readonly options?: Readonly<Record<string, unknown>>
}

const optionKinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const

const gvk = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({ group, version, kind })
const gvr = ({ group, version, resource }: GroupVersionResource): GroupVersionResource => ({ group, version, resource })

/** A request in the form that was matched. Pure. */
export function reviewRequest(subject: AdmissionSubject, form: ResourceForm): ReviewRequest {
  const { request, subresource, namespace } = subject
  const { username, uid, groups, extra } = request.caller.user
  return {
    kind: gvk(form.kind),
    resource: gvr(form.resource),
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: gvk(request.kind),
    requestResource: gvr(request.resource),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(request.name === '' ? {} : { name: request.name }),
    ...(namespace === '' ? {} : { namespace }),
    operation: request.operation,
    userInfo: {
      username,
      ...(uid === undefined ? {} : { uid }),
      ...(groups === undefined ? {} : { groups }),
      ...(extra === undefined ? {} : { extra }),
    },
    dryRun: request.dryRun,
    ...(request.operation === 'CONNECT' ? {} : { options: optionsOf(request, optionKinds[request.operation]) }),
  }
}

function optionsOf({ options, dryRun }: AdmissionRequest, kind: string): Record<string, unknown> {
  const { dryRun: _, duplicateFields: __, ...rest } = options
  return { kind, apiVersion: 'meta.k8s.io/v1', ...rest, ...(dryRun ? { dryRun: ['All'] } : {}) }
}
