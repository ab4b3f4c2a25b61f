/** Words of the language that cannot be field names. `self.__namespace__` reads the field `namespace`. */
const keywords = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)

const symbols: Readonly<Record<string, string>> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' }

/** The identifier by which CEL reads a property of this name, or undefined when there is none. */
export function escapeName(name: string): string | undefined {
  if (keywords.has(name)) return `__${name}__`
  if (!/^[a-zA-Z_.\-/][a-zA-Z0-9_.\-/]*$/.test(name)) return undefined
  return name.replace(/__|[.\-/]/g, (symbol) => symbols[symbol] as string)
}
