import type { DeepReadonly, DeletionRequest, FieldError, KubeObject, ResourceStrategy, UserInfo } from '@continuo/core'

/** A strategy in the types of its kind. Checks add to `errors` instead of returning lists. */
export interface TypedStrategy<T extends KubeObject> {
  default?(next: T): void
  prepareForCreate?(next: T, creator: UserInfo): void
  prepareForUpdate?(next: T, old: DeepReadonly<T>): void
  validate?(next: DeepReadonly<T>, errors: FieldError[], old: DeepReadonly<T> | undefined): void
  validateUpdate?(next: DeepReadonly<T>, old: DeepReadonly<T>, errors: FieldError[], subresource: string | undefined): void
  warnings?(next: DeepReadonly<T>, old: DeepReadonly<T> | undefined): readonly string[]
  readonly countsGeneration?: boolean
  changesGeneration?(next: DeepReadonly<T>, old: DeepReadonly<T>): boolean
  validateName?(name: string, isPrefix: boolean): readonly string[]
  gracePeriodSeconds?(object: DeepReadonly<T>, request: DeletionRequest): number
  expiresAt?(object: DeepReadonly<T>): number | undefined
  readonly allowCreateOnUpdate?: boolean
  readonly allowUnconditionalUpdate?: boolean
}

/** Erases the kind's type: the registry holds strategies of all kinds, and hands each only objects of its own. */
export function strategyOf<T extends KubeObject>(typed: TypedStrategy<T>): ResourceStrategy {
  const { validate, validateUpdate } = typed
  // biome-ignore lint/suspicious/noExplicitAny: the one place where the types of kinds are erased
  const erased = typed as any
  return {
    ...erased,
    ...(validate && {
      validate: (next: DeepReadonly<T>, old?: DeepReadonly<T>) => collect((errors) => validate.call(typed, next, errors, old)),
    }),
    ...(validateUpdate && {
      validateUpdate: (next: DeepReadonly<T>, old: DeepReadonly<T>, subresource: string | undefined) =>
        collect((errors) => validateUpdate.call(typed, next, old, errors, subresource)),
    }),
  }
}

function collect(check: (errors: FieldError[]) => void): readonly FieldError[] {
  const errors: FieldError[] = []
  check(errors)
  return errors
}
