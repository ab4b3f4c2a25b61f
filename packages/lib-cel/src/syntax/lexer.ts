import { CelCompileError } from '../cel-error.ts'
import { Uint } from '../values/value.ts'

/** `value` is a literal's; `text` is an operator, or an identifier's name. */
export interface Token {
  readonly kind: 'identifier' | 'literal' | 'operator' | 'end'
  readonly text: string
  readonly value?: string | bigint | number | Uint | Uint8Array
  readonly at: number
}

const space = /(?:[ \t\r\n\f]|\/\/[^\n]*)+/y
const number = /(?:0[xX]([0-9a-fA-F]+)([uU]?)|(\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(\d+)([uU]?))/y
const identifier = /[_a-zA-Z][_a-zA-Z0-9]*/y
const quoted = /`[a-zA-Z0-9_.\-/ ]+`/y
const string = /([rR][bB]?|[bB][rR]?)?("""|'''|"|')/y
const operator = /(?:&&|\|\||==|!=|<=|>=|\.\?|\[\?|[-+*/%<>=!?:.,()[\]{}])/y

const escapes: Readonly<Record<string, string>> = {
  a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', '?': '?', '"': '"', "'": "'", '`': '`',
} // biome-ignore format: one table

const match = (pattern: RegExp, source: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at
  return pattern.exec(source)
}

/** Cuts an expression into tokens, the last one of kind `end`. Throws {@link CelCompileError}. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  for (;;) {
    at += match(space, source, at)?.[0].length ?? 0
    if (at >= source.length) break
    const token = next(source, at)
    tokens.push(token)
    at += token.text.length
  }
  tokens.push({ kind: 'end', text: '', at: source.length })
  return tokens
}

/** The token at a place. Its `text` is as long as what it was read from. */
function next(source: string, at: number): Token {
  const start = match(string, source, at)
  if (start !== null) return readString(source, at, (start[1] ?? '').toLowerCase(), start[2] as string)
  const digits = match(number, source, at)
  if (digits !== null) return readNumber(source, at, digits)
  const name = match(identifier, source, at) ?? match(quoted, source, at)
  if (name !== null) return { kind: 'identifier', text: name[0], at }
  const sign = match(operator, source, at)
  if (sign !== null) return { kind: 'operator', text: sign[0], at }
  throw new CelCompileError(source, at, `Syntax error: token recognition error at: '${source.slice(at, at + 1)}'`)
}

function readNumber(source: string, at: number, [text, hex, hexUnsigned, double, integer, unsigned]: RegExpExecArray): Token {
  if (double !== undefined) return { kind: 'literal', text, value: Number(double), at }
  const value = BigInt(hex === undefined ? (integer as string) : `0x${hex}`)
  const isUnsigned = Boolean(hex === undefined ? unsigned : hexUnsigned)
  // One more than the greatest, so that the least can be written: the parser refuses it without its minus.
  if (value > (isUnsigned ? 2n ** 64n - 1n : 2n ** 63n))
    throw new CelCompileError(source, at, `Syntax error: invalid ${isUnsigned ? 'uint' : 'int'} literal`)
  return { kind: 'literal', text, value: isUnsigned ? new Uint(value) : value, at }
}

function readString(source: string, at: number, prefix: string, quote: string): Token {
  const raw = prefix.includes('r')
  const bytes = prefix.includes('b')
  const begin = at + prefix.length + quote.length
  let end = begin
  while (!source.startsWith(quote, end)) {
    if (end >= source.length || (quote.length === 1 && source[end] === '\n'))
      throw new CelCompileError(source, at, 'Syntax error: unterminated string literal')
    end += source[end] === '\\' && !raw ? 2 : 1
  }
  const body = source.slice(begin, end)
  const text = source.slice(at, end + quote.length)
  if (!bytes) return { kind: 'literal', text, value: raw ? body : unescapeText(source, begin, body, String.fromCodePoint), at }
  if (raw) return { kind: 'literal', text, value: new TextEncoder().encode(body), at }
  // Octets that were escaped stand for themselves; everything else is UTF-8.
  const octets: number[] = []
  unescapeText(
    source,
    begin,
    body,
    (code) => {
      octets.push(code)
      return ''
    },
    (plain) => octets.push(...new TextEncoder().encode(plain)),
  )
  return { kind: 'literal', text, value: Uint8Array.from(octets), at }
}

function unescapeText(
  source: string,
  begin: number,
  body: string,
  ofCode: (code: number) => string,
  onPlain?: (text: string) => void,
): string {
  let result = ''
  const plain = (text: string): void => {
    if (onPlain === undefined) result += text
    else onPlain(text)
  }
  for (let i = 0; i < body.length; ) {
    if (body[i] !== '\\') {
      const character = String.fromCodePoint(body.codePointAt(i) as number)
      plain(character)
      i += character.length
      continue
    }
    const letter = body[i + 1] ?? ''
    const simple = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined
    if (simple !== undefined) {
      plain(simple)
      i += 2
      continue
    }
    const numeric = /^\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/.exec(body.slice(i, i + 10))
    const isWide = numeric !== null && (numeric[2] !== undefined || numeric[3] !== undefined)
    const code =
      numeric === null
        ? -1
        : numeric[4] === undefined
          ? Number.parseInt(numeric[1] ?? numeric[2] ?? numeric[3] ?? '', 16)
          : Number.parseInt(numeric[4], 8)
    if (numeric === null || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || (isWide && onPlain !== undefined))
      throw new CelCompileError(source, begin + i, 'Syntax error: invalid escape sequence')
    result += ofCode(code)
    i += numeric[0].length
  }
  return result
}
