import { compiled, type Evaluation } from '@continuo/lib-admission'
import { type CelProgram, type CelType, type CompileOptions, cel } from '@continuo/lib-cel'

/** One variable of a policy, compiled; or the error that evaluating it gives. */
interface CompiledVariable {
  readonly name: string
  readonly program: CelProgram | Error
}

/** The variables of a policy: each may name those before it. */
export class PolicyVariables {
  /** The type of `variables`, for the expressions of the policy. */
  readonly type: CelType
  readonly #compiled: readonly CompiledVariable[]

  /** @param options what else the expressions may name, given the type of the variables so far */
  constructor(variables: readonly { readonly name: string; readonly expression: string }[], options: (type: CelType) => CompileOptions) {
    const fields: Record<string, CelType> = {}
    this.type = cel.object('kubernetes.variables', fields)
    const within = options(this.type)
    this.#compiled = variables.map(({ name, expression }) => {
      const program = compiled(expression, within)
      fields[name] = program instanceof Error ? cel.dyn : program.resultType
      return { name, program }
    })
  }

  define(evaluation: Evaluation): void {
    for (const { name, program } of this.#compiled) evaluation.define(name, program)
  }

  /** Faults of the variables, in their order. */
  get faults(): readonly (Error | undefined)[] {
    return this.#compiled.map(({ program }) => (program instanceof Error ? program : undefined))
  }
}
