import { type FieldError, fieldError, isContinuoError } from '@continuo/core'
import { type CelType, type CompileOptions, cel, compileCel, isDynamic, showType } from '@continuo/lib-cel'
import { limits } from './limits.ts'

const text = (max: number): CelType => ({ ...cel.string, max })
const byDomain = (value: CelType): CelType =>
  cel.map(text(limits.domainLength), cel.map(text(limits.identifierLength), value, limits.attributes), limits.attributes)

/** What an expression that chooses devices may name: one device, with its attributes and capacities by domain and name. */
const environment: CompileOptions = {
  variables: {
    device: cel.object('kubernetes.DRADevice', {
      driver: text(limits.domainLength),
      attributes: byDomain({ ...cel.dyn, max: limits.valueBytes }),
      capacity: byDomain(cel.opaque('kubernetes.Quantity')),
      allowMultipleAllocations: cel.bool,
    }),
  },
}

/** Refuses an expression that does not compile to a bool, or that could cost too much for some device (KEP-4381). */
export function checkSelector(expression: string, path: string, errors: FieldError[]): void {
  try {
    const { resultType, estimate } = compileCel(expression, environment)
    if (resultType.kind !== 'bool' && !isDynamic(resultType))
      errors.push(fieldError.invalid(path, expression, `must evaluate to bool or the unknown type, not ${showType(resultType)}`))
    else if (estimate > limits.expressionCost) errors.push(fieldError.forbidden(path, 'too complex, exceeds cost limit'))
  } catch (error) {
    if (!isContinuoError(error)) throw error
    errors.push(fieldError.invalid(path, expression, `compilation failed: ${error.message}`))
  }
}
