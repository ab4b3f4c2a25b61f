import { type DeepReadonly, type FieldError, fieldError, jsonEqual } from '@continuo/core'
import type { CertificateSigningRequest, CertificateSigningRequestCondition as Condition } from '../../generated/types/certificates-v1.ts'
import { isDnsLabel, isDnsSubdomain } from '../../rules/names.ts'
import { checkOneOf } from '../../rules/values.ts'

/** Served by no signer of the API's first version. */
const legacySigner = 'kubernetes.io/legacy-unknown'

const usages = new Set([
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
])

const signerForm = 'must be a fully qualified domain and path of the form "example.com/signer-name"'
const maxSignerLength = 571

/** Who shall sign: a domain of at least two labels, and a path. */
export function checkSignerName(name: string, errors: FieldError[]): void {
  const add = (fault: string): void => void errors.push(fieldError.invalid('spec.signerName', name, fault))
  const [domain = '', path = '', ...more] = name.split('/')
  if (name === legacySigner) add('the legacy signerName is not allowed via this API version')
  else if (name.length > maxSignerLength) errors.push(fieldError.tooLong('spec.signerName', maxSignerLength))
  else if (more.length > 0 || path === '' || !domain.includes('.')) add(signerForm)
  else for (const fault of [...isDnsSubdomain(domain), ...path.split('.').flatMap((label) => isDnsLabel(label))]) add(fault)
}

/** What the certificate shall be for: known words, each once. */
export function checkUsages(given: DeepReadonly<string[]> | undefined, errors: FieldError[]): void {
  given?.forEach((usage, index) => {
    const path = `spec.usages[${index}]`
    if (!usages.has(usage)) errors.push(fieldError.notSupported(path, usage, [...usages]))
    else if (given.indexOf(usage) !== index) errors.push(fieldError.duplicate(path, usage))
  })
}

/** Conditions have a type each; nobody approves and denies at once. Of approval, denial and failure the status is always True. */
export function checkConditions({ status }: DeepReadonly<CertificateSigningRequest>, errors: FieldError[]): void {
  const conditions = status?.conditions ?? []
  conditions.forEach(({ type, status: state }, index) => {
    const path = `status.conditions[${index}]`
    if (!type) errors.push(fieldError.required(`${path}.type`))
    const allowed = type === 'Approved' || type === 'Denied' || type === 'Failed' ? ['True'] : ['False', 'True', 'Unknown']
    checkOneOf(state, allowed, `${path}.status`, errors)
    const other = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined
    if (other !== undefined && conditions.slice(0, index).some((before) => before.type === other))
      errors.push(fieldError.invalid(`${path}.type`, type, 'Approved and Denied conditions are mutually exclusive'))
    if (conditions.slice(0, index).some((before) => before.type === type)) errors.push(fieldError.duplicate(`${path}.type`, type))
  })
}

/** What was decided stays decided; a certificate that was given out is not replaced. */
export function checkDecisions(
  next: DeepReadonly<CertificateSigningRequest>,
  old: DeepReadonly<CertificateSigningRequest>,
  subresource: string | undefined,
  errors: FieldError[],
): void {
  const of = (request: DeepReadonly<CertificateSigningRequest>, type: string): DeepReadonly<Condition>[] =>
    (request.status?.conditions ?? []).filter((condition) => condition.type === type)
  for (const type of ['Approved', 'Denied', 'Failed']) {
    const [now, before] = [of(next, type), of(old, type)]
    if (jsonEqual(now, before)) continue
    if (now.length < before.length)
      errors.push(fieldError.forbidden('status.conditions', `updates may not remove a condition of type ${JSON.stringify(type)}`))
    else if (before.length > 0)
      errors.push(fieldError.forbidden('status.conditions', `updates may not modify a condition of type ${JSON.stringify(type)}`))
    else if (type !== 'Failed' && subresource !== 'approval')
      errors.push(fieldError.forbidden('status.conditions', `updates may not add a condition of type ${JSON.stringify(type)}`))
  }
  if (old.status?.certificate && next.status?.certificate !== old.status.certificate)
    errors.push(fieldError.forbidden('status.certificate', 'updates may not modify existing certificate content'))
}
