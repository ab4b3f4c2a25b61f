import { X509Certificate } from 'node:crypto'
import { type ConversionSettings, type FieldError, fieldError } from '@continuo/core'
import { checkClientConfig } from '@continuo/workload'
import { reviewVersions } from './review.ts'

/** What is wrong with the settings of a conversion by webhook, in Kubernetes' words and with its paths. */
export function checkSettings({ webhook }: ConversionSettings, at: string): readonly FieldError[] {
  const errors: FieldError[] = []
  const config = webhook?.clientConfig
  const path = `${at}.webhookClientConfig`
  if (config === undefined) errors.push(fieldError.required(path, 'required when strategy is set to Webhook'))
  else {
    checkClientConfig(config, path, errors)
    if (config.caBundle !== undefined) checkBundle(config.caBundle, `${path}.caBundle`, errors)
  }
  checkReviewVersions(webhook?.conversionReviewVersions ?? [], `${at}.conversionReviewVersions`, errors)
  return errors
}

function checkReviewVersions(versions: readonly string[], at: string, errors: FieldError[]): void {
  if (versions.length === 0) {
    errors.push(fieldError.required(at))
    return
  }
  versions.forEach((version, i) => {
    if (versions.indexOf(version) < i) errors.push(fieldError.invalid(`${at}[${i}]`, version, 'duplicate version'))
  })
  if (!versions.some((version) => reviewVersions.includes(version)))
    errors.push(fieldError.invalid(at, versions, `must include at least one of ${reviewVersions.join(', ')}`))
}

/** A bundle that no certificate can be read from would only fail later, when objects are read. */
function checkBundle(bundle: string, at: string, errors: FieldError[]): void {
  if (bundle === '') return
  try {
    new X509Certificate(Buffer.from(bundle, 'base64'))
  } catch {
    errors.push(fieldError.invalid(at, bundle.slice(0, 100), 'unable to load root certificates: unable to parse bytes as PEM block'))
  }
}
