import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { MutatingWebhook, ServiceReference, ValidatingWebhook } from '../../generated/types/admissionregistration-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, isDns1035Label, isDnsSubdomain } from '../../rules/names.ts'
import { checkOneOf, checkPortNumber } from '../../rules/values.ts'
import { checkMatchConditions, checkMatching, checkRule, defaultMatching, failurePolicies } from './matching.ts'

type Webhook = ValidatingWebhook | MutatingWebhook

/** Versions of AdmissionReview that the API can speak. */
const reviewVersions: readonly string[] = ['v1', 'v1beta1']
const sideEffects: readonly string[] = ['None', 'NoneOnDryRun']
const defaultSeconds = 10
const maxSeconds = 30
const httpsPort = 443

export function defaultWebhooks(webhooks: readonly Webhook[] | undefined): void {
  for (const webhook of webhooks ?? []) {
    webhook.failurePolicy ??= 'Fail'
    webhook.timeoutSeconds ??= defaultSeconds
    defaultMatching(webhook, [webhook.rules])
    if (webhook.clientConfig?.service !== undefined) webhook.clientConfig.service.port ??= httpsPort
  }
}

/** Everything about the webhooks of one configuration but what only mutating ones have. */
export function checkWebhooks(webhooks: DeepReadonly<Webhook[]> | undefined, errors: FieldError[]): void {
  const names = new Set<string>()
  each(webhooks, 'webhooks', (webhook, path) => {
    checkWebhook(webhook, path, errors)
    if (webhook.name && names.has(webhook.name)) errors.push(fieldError.duplicate(`${path}.name`, webhook.name))
    names.add(webhook.name)
  })
}

function checkWebhook(webhook: DeepReadonly<Webhook>, path: string, errors: FieldError[]): void {
  checkQualifiedName(webhook.name, `${path}.name`, errors)
  each(webhook.rules, `${path}.rules`, (rule, at) => checkRule(rule, at, errors))
  checkOneOf(webhook.failurePolicy, failurePolicies, `${path}.failurePolicy`, errors)
  checkMatching(webhook, path, errors)
  if (webhook.sideEffects === undefined)
    errors.push(fieldError.required(`${path}.sideEffects`, `must specify one of ${sideEffects.join(', ')}`))
  else checkOneOf(webhook.sideEffects, sideEffects, `${path}.sideEffects`, errors)
  const seconds = webhook.timeoutSeconds ?? defaultSeconds
  if (seconds < 1 || seconds > maxSeconds)
    errors.push(fieldError.invalid(`${path}.timeoutSeconds`, seconds, `the timeout value must be between 1 and ${maxSeconds} seconds`))
  checkClientConfig(webhook.clientConfig, `${path}.clientConfig`, errors)
  checkMatchConditions(webhook.matchConditions, `${path}.matchConditions`, errors)
  checkReviewVersions(webhook.admissionReviewVersions, `${path}.admissionReviewVersions`, errors)
}

function checkQualifiedName(name: string, path: string, errors: FieldError[]): void {
  if (!name) errors.push(fieldError.required(path))
  else if (isDnsSubdomain(name).length > 0) errors.push(fieldError.invalid(path, name, isDnsSubdomain(name).join(',')))
  else if (name.split('.').length < 3)
    errors.push(fieldError.invalid(path, name, 'should be a domain with at least three segments separated by dots'))
}

function checkReviewVersions(versions: readonly string[] | undefined, path: string, errors: FieldError[]): void {
  if (versions === undefined || versions.length === 0) {
    errors.push(fieldError.required(path, `must specify one of ${reviewVersions.join(', ')}`))
    return
  }
  const seen = new Set<string>()
  each(versions, path, (version, at) => {
    if (seen.has(version)) errors.push(fieldError.invalid(at, version, 'duplicate version'))
    else checkName(isDns1035Label, version, at, errors)
    seen.add(version)
  })
  if (!versions.some((version) => reviewVersions.includes(version)))
    errors.push(fieldError.invalid(path, versions, `must include at least one of ${reviewVersions.join(', ')}`))
}

/** How a webhook is reached: by exactly one of a URL and a service. */
export function checkClientConfig(config: DeepReadonly<Webhook['clientConfig']> | undefined, path: string, errors: FieldError[]): void {
  const { url, service } = config ?? {}
  if ((url === undefined) === (service === undefined)) errors.push(fieldError.required(path, 'exactly one of url or service is required'))
  else if (url !== undefined) checkUrl(url, `${path}.url`, errors)
  else if (service !== undefined) checkService(service, `${path}.service`, errors)
}

const form = '; desired format: https://host[/path]'

function checkUrl(text: string, path: string, errors: FieldError[]): void {
  if (!URL.canParse(text)) {
    errors.push(fieldError.required(path, `url must be a valid URL: ${JSON.stringify(text)}${form}`))
    return
  }
  const url = new URL(text)
  const refuse = (value: string, why: string) => errors.push(fieldError.invalid(path, value, why))
  if (url.protocol !== 'https:') refuse(url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${form}`)
  if (url.host === '') refuse(url.host, `host must be specified${form}`)
  if (url.username !== '' || url.password !== '') refuse(url.username, 'user information is not permitted in the URL')
  if (url.hash !== '') refuse(url.hash.slice(1), 'fragments are not permitted in the URL')
  if (url.search !== '') refuse(url.search.slice(1), 'query parameters are not permitted in the URL')
}

function checkService({ name, namespace, path: target, port }: DeepReadonly<ServiceReference>, path: string, errors: FieldError[]): void {
  if (!name) errors.push(fieldError.required(`${path}.name`, 'service name is required'))
  if (!namespace) errors.push(fieldError.required(`${path}.namespace`, 'service namespace is required'))
  checkPortNumber(port ?? httpsPort, `${path}.port`, errors)
  if (target === undefined || target === '' || target === '/') return
  if (!target.startsWith('/')) {
    errors.push(fieldError.invalid(`${path}.path`, target, "must start with a '/'"))
    return
  }
  const segments = target.slice(1).replace(/\/$/, '').split('/')
  segments.forEach((segment, index) => {
    if (segment === '') errors.push(fieldError.invalid(`${path}.path`, target, `segment[${index}] may not be empty`))
    else for (const fault of isDnsSubdomain(segment)) errors.push(fieldError.invalid(`${path}.path`, target, `segment[${index}]: ${fault}`))
  })
}
