import { CelMap, type Value } from '../values/value.ts'

/** A message that an expression wrote: `Object.spec{replicas: 1}`. */
export class MessageValue extends CelMap {
  override readonly typeName: string
  readonly #values: ReadonlyMap<string, Value>
  readonly #jsonName: (field: string) => string

  constructor(typeName: string, values: ReadonlyMap<string, Value>, jsonName: (field: string) => string) {
    super()
    this.typeName = typeName
    this.#values = values
    this.#jsonName = jsonName
  }

  get size(): number {
    return this.#values.size
  }

  get(key: Value): Value | undefined {
    return typeof key === 'string' ? this.#values.get(key) : undefined
  }

  keys(): readonly string[] {
    return Array.from(this.#values.keys())
  }

  /** The name of a field in JSON. */
  jsonName(field: string): string {
    return this.#jsonName(field)
  }
}
