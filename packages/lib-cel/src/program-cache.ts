import { isContinuoError } from '@continuo/core'
import { type CelProgram, type CompileOptions, compileCel } from './program.ts'

/** Programs by their source and by the options that they were compiled with; the oldest goes first. Faults are remembered too. */
export class ProgramCache {
  readonly #capacity: number
  readonly #programs = new Map<string, CelProgram | Error>()
  readonly #ids = new WeakMap<CompileOptions, number>()
  #nextId = 0

  /** @param capacity how many programs are kept at most */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** {@link compileCel}, once for each source with the same options object. */
  compile(source: string, options: CompileOptions): CelProgram {
    let id = this.#ids.get(options)
    if (id === undefined) {
      id = this.#nextId++
      this.#ids.set(options, id)
    }
    const key = `${id} ${source}`
    const known = this.#programs.get(key)
    if (known instanceof Error) throw known
    if (known !== undefined) return known
    let made: CelProgram | Error
    try {
      made = compileCel(source, options)
    } catch (error) {
      if (!isContinuoError(error)) throw error
      made = error
    }
    if (this.#programs.size >= this.#capacity) this.#programs.delete(this.#programs.keys().next().value as string)
    this.#programs.set(key, made)
    if (made instanceof Error) throw made
    return made
  }
}
