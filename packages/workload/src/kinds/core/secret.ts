import { type FieldError, fieldError } from '@continuo/core'
import type { Secret as SecretObject } from '../../generated/types/core-v1.ts'
import { checkName, isConfigKey } from '../../rules/names.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkFrozen, maxDataBytes } from './config-map.ts'

export type Secret = SecretObject
/** Handle of secrets in v1. */
export const Secret = kindOf<Secret>('v1', 'secrets')

/** Keys that a secret of a known type must have. */
const requiredKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
])

export const secretResource = workloadResource(Secret, {
  table: table<Secret>(
    nameColumn(),
    text('Type', ({ type }) => type ?? 'Opaque'),
    integer('Data', ({ data }) => Object.keys(data ?? {}).length),
    ageColumn(),
  ),
  selectableFields: { type: (object) => (object as unknown as Secret).type ?? '' },
  strategy: strategyOf<Secret>({
    default(secret) {
      secret.type ||= 'Opaque'
      // The write-only form: what it says is merged into the data and never shown.
      for (const [key, value] of Object.entries(secret.stringData ?? {})) {
        secret.data ??= {}
        secret.data[key] = Buffer.from(value).toString('base64')
      }
      delete secret.stringData
    },
    validate({ data = {}, type, metadata }, errors) {
      let bytes = 0
      for (const [key, value] of Object.entries(data)) {
        checkName(isConfigKey, key, `data[${key}]`, errors)
        bytes += Buffer.byteLength(value, 'base64')
      }
      if (bytes > maxDataBytes) errors.push(fieldError.tooLong('data', maxDataBytes))
      for (const key of requiredKeys.get(type ?? '') ?? []) if (!Object.hasOwn(data, key)) errors.push(fieldError.required(`data[${key}]`))
      for (const key of ['.dockercfg', '.dockerconfigjson'])
        if (requiredKeys.get(type ?? '')?.includes(key) && Object.hasOwn(data, key)) checkJson(data[key] as string, `data[${key}]`, errors)
      if (type === 'kubernetes.io/basic-auth' && !Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
        errors.push(fieldError.required('data[username]'), fieldError.required('data[password]'))
      }
      const account = 'kubernetes.io/service-account.name'
      if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.[account])
        errors.push(fieldError.required(`metadata.annotations[${account}]`))
    },
    validateUpdate(next, old, errors) {
      checkImmutable(next.type, old.type, 'type', errors)
      checkFrozen(next, old, ['data'], errors)
    },
  }),
})

/** The parser's words are left out: they may quote the secret. */
function checkJson(base64: string, path: string, errors: FieldError[]): void {
  try {
    JSON.parse(Buffer.from(base64, 'base64').toString())
  } catch {
    errors.push(fieldError.invalid(path, '<secret contents redacted>', 'must be valid JSON'))
  }
}
