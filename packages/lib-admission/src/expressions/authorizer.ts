import type { UserInfo } from '@continuo/core'
import { CelEvaluationError, CelMap, type CelType, cel, type ObjectType, OpaqueValue, type Overload, type Value } from '@continuo/lib-cel'
import type { AccessQuestion, Decided, Decisions } from './decisions.ts'

const prefix = 'kubernetes.authorization.'
const pathCheck = cel.opaque(`${prefix}PathCheck`)
const groupCheck = cel.opaque(`${prefix}GroupCheck`)
const resourceCheck = cel.opaque(`${prefix}ResourceCheck`)
const decision = cel.opaque(`${prefix}Decision`)

/** The type of `authorizer`. */
export const authorizerType: ObjectType = cel.object(`${prefix}Authorizer`, { requestResource: resourceCheck })

/** What Kubernetes charges for a check. */
const checkCost = 350_000

const nothing: Omit<AccessQuestion, 'user'> = {
  verb: '',
  isResource: true,
  group: '',
  version: '*',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  path: '',
}

/** `authorizer`: asks for the user of the request, or for a service account. */
export class AuthorizerValue extends CelMap {
  override readonly typeName = authorizerType.name
  readonly size = 1
  readonly decisions: Decisions
  readonly user: UserInfo
  readonly #requestResource: Partial<AccessQuestion>

  constructor(decisions: Decisions, user: UserInfo, requestResource: Partial<AccessQuestion>) {
    super()
    this.decisions = decisions
    this.user = user
    this.#requestResource = requestResource
  }

  get(key: Value): Value | undefined {
    return key === 'requestResource' ? this.check(resourceCheck.name, this.#requestResource) : undefined
  }

  keys(): readonly Value[] {
    return ['requestResource']
  }

  check(typeName: string, asked: Partial<AccessQuestion>): CheckValue {
    return new CheckValue(this.decisions, typeName, { ...nothing, ...asked, user: this.user })
  }

  serviceAccount(namespace: string, name: string): AuthorizerValue {
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
    return new AuthorizerValue(this.decisions, { username: `system:serviceaccount:${namespace}:${name}`, groups }, this.#requestResource)
  }
}

/** A question on its way: each word that is said about it makes another one. */
class CheckValue extends OpaqueValue {
  readonly typeName: string
  readonly #decisions: Decisions
  readonly #question: AccessQuestion

  constructor(decisions: Decisions, typeName: string, question: AccessQuestion) {
    super()
    this.#decisions = decisions
    this.typeName = typeName
    this.#question = question
  }

  with(asked: Partial<AccessQuestion>, typeName = this.typeName): CheckValue {
    return new CheckValue(this.#decisions, typeName, { ...this.#question, ...asked })
  }

  check(verb: string): DecisionValue {
    return new DecisionValue(this.#decisions.decide({ ...this.#question, verb }))
  }
}

class DecisionValue extends OpaqueValue {
  override readonly typeName = decision.name
  readonly decided: Decided

  constructor(decided: Decided) {
    super()
    this.decided = decided
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the parameters say what the types are; nothing else may call it
type Implementation = (receiver: any, ...args: any[]) => Value

const method = (
  receiver: CelType,
  name: string,
  parameters: readonly CelType[],
  result: CelType,
  call: Implementation,
  cost = 1,
): Overload => ({
  name,
  method: true,
  parameters: [receiver, ...parameters],
  result,
  call: (args) => call(args[0], ...args.slice(1)),
  cost: () => cost,
})

const { string, bool } = cel
const required = (what: string, text: string): string => {
  if (text === '') throw new CelEvaluationError(`${what} must not be empty`)
  return text
}

/** The authorizer library of Kubernetes' CEL. */
export const authorizerLibrary: readonly Overload[] = [
  method(authorizerType, 'path', [string], pathCheck, (authorizer: AuthorizerValue, path: string) =>
    authorizer.check(pathCheck.name, { path: required('path', path), isResource: false, version: '' }),
  ),
  method(authorizerType, 'group', [string], groupCheck, (authorizer: AuthorizerValue, group: string) =>
    authorizer.check(groupCheck.name, { group }),
  ),
  method(
    authorizerType,
    'serviceAccount',
    [string, string],
    authorizerType,
    (authorizer: AuthorizerValue, namespace: string, name: string) =>
      authorizer.serviceAccount(required('namespace', namespace), required('name', name)),
  ),
  method(groupCheck, 'resource', [string], resourceCheck, (check: CheckValue, resource: string) =>
    check.with({ resource: required('resource', resource) }, resourceCheck.name),
  ),
  ...(['subresource', 'namespace', 'name', 'fieldSelector', 'labelSelector'] as const).map((word) =>
    method(resourceCheck, word, [string], resourceCheck, (check: CheckValue, text: string) => check.with({ [word]: text })),
  ),
  method(resourceCheck, 'check', [string], decision, (check: CheckValue, verb: string) => check.check(verb), checkCost),
  method(pathCheck, 'check', [string], decision, (check: CheckValue, verb: string) => check.check(verb), checkCost),
  method(decision, 'allowed', [], bool, ({ decided }: DecisionValue) => decided.decision === 'allow'),
  method(decision, 'reason', [], string, ({ decided }: DecisionValue) => decided.reason ?? ''),
  method(decision, 'errored', [], bool, ({ decided }: DecisionValue) => decided.error !== undefined),
  method(decision, 'error', [], string, ({ decided }: DecisionValue) => decided.error ?? ''),
]
