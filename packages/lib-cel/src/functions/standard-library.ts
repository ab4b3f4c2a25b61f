import { addresses } from './addresses.ts'
import { conversions } from './conversions.ts'
import { lists } from './lists.ts'
import { namedFormats } from './named-formats.ts'
import { operators } from './operators.ts'
import { optionals } from './optionals.ts'
import type { Overload } from './overload.ts'
import { quantities } from './quantities.ts'
import { regex } from './regex.ts'
import { semvers } from './semvers.ts'
import { strings } from './strings.ts'
import { times } from './times.ts'
import { urls } from './urls.ts'

/** Functions by name; those that are called on a receiver apart from the others. */
export class FunctionTable {
  readonly #overloads = new Map<string, Overload[]>()

  constructor(overloads: readonly Overload[]) {
    for (const overload of overloads) {
      const key = keyOf(overload.name, overload.method)
      const known = this.#overloads.get(key)
      if (known === undefined) this.#overloads.set(key, [overload])
      else known.push(overload)
    }
  }

  /** Every form of a function, or undefined when there is none of the name. */
  find(name: string, isMethod: boolean): readonly Overload[] | undefined {
    return this.#overloads.get(keyOf(name, isMethod))
  }
}

const keyOf = (name: string, isMethod: boolean): string => (isMethod ? `.${name}` : name)

/** What every expression of Kubernetes 1.36 may call: the language's own functions and Kubernetes' libraries. */
export const standardLibrary: readonly Overload[] = [
  ...operators,
  ...conversions,
  ...strings,
  ...regex,
  ...times,
  ...lists,
  ...optionals,
  ...quantities,
  ...urls,
  ...addresses,
  ...semvers,
  ...namedFormats,
]
