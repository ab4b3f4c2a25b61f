import type { DeepReadonly, KubeObject } from '@continuo/core'
import type { MatchCondition, MatchResources, ParamKind, ParamRef, Variable } from '@continuo/workload'

/** What policies of both kinds have in common. */
export interface PolicyShape extends KubeObject {
  readonly spec?: {
    readonly failurePolicy?: string
    readonly matchConstraints?: MatchResources
    readonly matchConditions?: MatchCondition[]
    readonly paramKind?: ParamKind
    readonly variables?: Variable[]
  }
}

/** What bindings of both kinds have in common. */
export interface BindingShape extends KubeObject {
  readonly spec?: {
    readonly policyName?: string
    readonly paramRef?: ParamRef
    readonly matchResources?: MatchResources
  }
}

export type PolicyView<P extends PolicyShape> = DeepReadonly<P>
