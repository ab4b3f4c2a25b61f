import { ApiError } from '../errors/api-error.ts'

/**
 * The answer to a request with `fieldValidation=Strict` whose body has faults, as `unknown field "spec.foo"` and `duplicate field "spec.replicas"`.
 * With `Warn` each fault is a warning by itself.
 */
export const strictDecodingError = (kind: string, version: string, faults: readonly string[]): ApiError =>
  new ApiError(
    'BadRequest',
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: strict decoding error: ${faults.join(', ')}`,
  )
