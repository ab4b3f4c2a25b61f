import type { AdmissionReader, DeepReadonly, Kind, Registry, UnstructuredObject } from '@continuo/core'
import { type AdmissionSubject, type Equivalents, type MatchSpec, RequestMatcher, type ResourceForm } from '@continuo/lib-admission'
import type { MatchResources } from '@continuo/workload'
import { ConfigurationError, collectParams, paramResource } from './collect-params.ts'
import type { BindingShape, PolicyShape } from './policy-shape.ts'

/** A policy with its bindings, made ready. `E` is what its expressions were compiled to. */
interface ReadyPolicy<P extends PolicyShape, B extends BindingShape, E> extends Compiled<E> {
  readonly policy: DeepReadonly<P>
  readonly bindings: readonly { readonly binding: DeepReadonly<B>; readonly matcher: RequestMatcher }[]
}

/** One evaluation that a request asks for: a policy, a binding, a parameter. */
export interface Invocation<P extends PolicyShape, B extends BindingShape, E> {
  readonly policy: DeepReadonly<P>
  readonly binding: DeepReadonly<B>
  readonly evaluator: E
  /** The form of the request that the policy looks at. */
  readonly form: ResourceForm
  readonly param: DeepReadonly<UnstructuredObject> | null
}

/** A policy, or one of its bindings, that cannot be evaluated. */
export interface Misconfigured<P extends PolicyShape, B extends BindingShape> {
  readonly policy: DeepReadonly<P>
  readonly binding?: DeepReadonly<B>
  readonly message: string
}

export interface Selected<P extends PolicyShape, B extends BindingShape, E> {
  readonly invocations: readonly Invocation<P, B, E>[]
  readonly misconfigured: readonly Misconfigured<P, B>[]
}

interface Named {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string }
}

interface Compiled<E> {
  readonly evaluator: E
  readonly matcher: RequestMatcher
}

interface Known<T> {
  readonly resourceVersion: string
  readonly ready: T
}

/**
 * The policies of one kind with their bindings, and which of them a request concerns. Read as of the request's beginning:
 * a policy counts from the moment of its creation, on every replica.
 */
export class PolicySet<P extends PolicyShape, B extends BindingShape, E> {
  readonly #policyKind: Kind<P>
  readonly #bindingKind: Kind<B>
  readonly #registry: Registry
  readonly #equivalents: Equivalents
  readonly #compile: (policy: DeepReadonly<P>) => E
  #policies = new Map<string, Known<Compiled<E>>>()
  #bindings = new Map<string, Known<RequestMatcher>>()

  constructor(
    kinds: { readonly policy: Kind<P>; readonly binding: Kind<B> },
    registry: Registry,
    equivalents: Equivalents,
    compile: (policy: DeepReadonly<P>) => E,
  ) {
    this.#policyKind = kinds.policy
    this.#bindingKind = kinds.binding
    this.#registry = registry
    this.#equivalents = equivalents
    this.#compile = compile
  }

  /** Whether there is any policy that is bound. */
  isEmpty(read: AdmissionReader): boolean {
    return read.list(this.#policyKind).length === 0 || read.list(this.#bindingKind).length === 0
  }

  /** In order of the names of policies, then of bindings. */
  select(subject: AdmissionSubject): Selected<P, B, E> {
    const invocations: Invocation<P, B, E>[] = []
    const misconfigured: Misconfigured<P, B>[] = []
    for (const { policy, evaluator, matcher, bindings } of this.#ready(subject.request.read)) {
      const form = matcher.match(subject)
      if (form === undefined) continue
      let resource: Kind<UnstructuredObject> | undefined
      try {
        resource = policy.spec?.paramKind === undefined ? undefined : paramResource(policy.spec.paramKind, this.#registry)
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error
        misconfigured.push({ policy, message: `failed to configure policy: ${error.message}` })
        continue
      }
      for (const { binding, matcher: bound } of bindings) {
        if (bound.match(subject) === undefined) continue
        try {
          for (const param of collectParams(resource, binding.spec?.paramRef, subject.request.namespace, subject.request.read))
            invocations.push({ policy, binding, evaluator, form, param })
        } catch (error) {
          if (!(error instanceof ConfigurationError)) throw error
          misconfigured.push({ policy, binding, message: `failed to configure binding: ${error.message}` })
        }
      }
    }
    return { invocations, misconfigured }
  }

  #ready(read: AdmissionReader): readonly ReadyPolicy<P, B, E>[] {
    const bindings = Map.groupBy(sorted(read.list(this.#bindingKind)), ({ spec }) => spec?.policyName ?? '')
    const policies = new Map<string, Known<Compiled<E>>>()
    const matchers = new Map<string, Known<RequestMatcher>>()
    const ready = sorted(read.list(this.#policyKind)).flatMap((policy): ReadyPolicy<P, B, E>[] => {
      const bound = bindings.get(policy.metadata.name) ?? []
      if (bound.length === 0) return []
      const own = remembered(this.#policies, policies, policy, () => ({
        evaluator: this.#compile(policy),
        matcher: new RequestMatcher(specOf(policy.spec?.matchConstraints, true), this.#equivalents),
      }))
      return [
        {
          policy,
          ...own,
          bindings: bound.map((binding) => ({
            binding,
            matcher: remembered(
              this.#bindings,
              matchers,
              binding,
              () => new RequestMatcher(specOf(binding.spec?.matchResources, false), this.#equivalents),
            ),
          })),
        },
      ]
    })
    this.#policies = policies
    this.#bindings = matchers
    return ready
  }
}

const sorted = <T extends Named>(objects: readonly T[]): readonly T[] =>
  [...objects].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))

/** What was made of this version of an object already, or is made now. `next` is what is remembered from now on. */
function remembered<T>(before: Map<string, Known<T>>, next: Map<string, Known<T>>, object: Named, make: () => T): T {
  const { name, resourceVersion = '' } = object.metadata
  const known = before.get(name)
  const made = known?.resourceVersion === resourceVersion ? known : { resourceVersion, ready: make() }
  next.set(name, made)
  return made.ready
}

/** A binding without rules of its own narrows nothing; a policy has rules. */
const specOf = (resources: DeepReadonly<MatchResources> | undefined, needsRules: boolean): MatchSpec => ({
  ...((resources?.resourceRules?.length ?? 0) > 0 || needsRules ? { rules: resources?.resourceRules ?? [] } : {}),
  exclude: resources?.excludeResourceRules ?? [],
  ...(resources?.matchPolicy === undefined ? {} : { matchPolicy: resources.matchPolicy }),
  ...(resources?.namespaceSelector === undefined
    ? {}
    : { namespaceSelector: resources.namespaceSelector as MatchSpec['namespaceSelector'] & object }),
  ...(resources?.objectSelector === undefined ? {} : { objectSelector: resources.objectSelector as MatchSpec['objectSelector'] & object }),
})
