import { formatFieldPath } from './json-value.ts'
import { skipString } from './scan-json.ts'

/** What {@link locateInJson} reports to, in the order of the text. */
export interface JsonLocator {
  /** A key that its object already had; the path includes it. */
  duplicate(path: string): void
  /** An integer literal, as written. */
  integer(literal: string): void
}

const integerLiteral = /-?\d+(?![\d.eE])/y
const scalar = /[^\s,\]}]+/y

/**
 * Walks text that JSON.parse has accepted and reports repeated keys and integer literals, in order.
 * It is the slow second look, taken only when {@link scanJson} found a reason.
 */
export function locateInJson(text: string, locator: JsonLocator): void {
  const path: (string | number)[] = []
  let i = 0
  const skipSpace = (): void => {
    while (i < text.length && text.charCodeAt(i) <= 0x20) i++
  }
  const readString = (): string => {
    const end = skipString(text, i)
    const value = JSON.parse(text.slice(i, end)) as string
    i = end
    return value
  }
  const object = (): void => {
    const seen = new Set<string>()
    i++
    for (;;) {
      skipSpace()
      if (text[i] === '}') break
      if (text[i] === ',') {
        i++
        continue
      }
      const key = readString()
      path.push(key)
      if (seen.has(key)) locator.duplicate(formatFieldPath(path))
      seen.add(key)
      skipSpace()
      i++
      value()
      path.pop()
    }
    i++
  }
  const array = (): void => {
    i++
    for (let index = 0; ; index++) {
      skipSpace()
      if (text[i] === ',') {
        i++
        skipSpace()
      }
      if (text[i] === ']') break
      path.push(index)
      value()
      path.pop()
    }
    i++
  }
  const value = (): void => {
    skipSpace()
    const ch = text[i]
    if (ch === '{') object()
    else if (ch === '[') array()
    else if (ch === '"') i = skipString(text, i)
    else {
      integerLiteral.lastIndex = i
      const integer = integerLiteral.exec(text)
      if (integer !== null) locator.integer(integer[0])
      scalar.lastIndex = i
      i += scalar.exec(text)?.[0].length ?? 1
    }
  }
  value()
}
