import { ApiError } from '../errors/api-error.ts'
import { formatLabelRequirement, type LabelOperator, type LabelRequirement, labelRequirement } from './label-requirement.ts'
import { labelKeyFaults } from './label-syntax.ts'

type TokenKind = '' | ')' | ',' | '!' | '==' | '=' | '>' | 'in' | '<' | '!=' | 'notin' | '(' | 'identifier' | 'error'

interface Token {
  readonly kind: TokenKind
  readonly text: string
}

const symbols = new Set<string>([')', ',', '!', '==', '=', '>', '<', '!=', '('])
const isSpecial = (ch: string): boolean => '=!(),><'.includes(ch)
const isSpace = (ch: string): boolean => ch === ' ' || ch === '\t' || ch === '\r' || ch === '\n'
const end: Token = { kind: '', text: '' }

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let i = 0
  while (i < text.length) {
    const ch = text[i] as string
    if (isSpace(ch)) i++
    else if (isSpecial(ch)) {
      const two = text.slice(i, i + 2)
      const symbol = two.length === 2 && symbols.has(two) ? two : ch
      tokens.push({ kind: symbol as TokenKind, text: symbol })
      i += symbol.length
    } else {
      const start = i
      while (i < text.length && !isSpecial(text[i] as string) && !isSpace(text[i] as string)) i++
      const word = text.slice(start, i)
      tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word })
    }
  }
  return tokens
}

const binaryOperators = 'in, notin, =, ==, !=, gt, lt'
const operatorOf: Partial<Record<TokenKind, LabelOperator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
}
const inRequirement = 'unable to parse requirement: '

class LabelSelectorParser {
  readonly #tokens: readonly Token[]
  #position = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = []
    for (;;) {
      const first = this.#peek()
      if (first.kind === '') return requirements
      if (first.kind !== 'identifier' && first.kind !== '!')
        throw refuse(`found '${first.text}', expected: !, identifier, or 'end of string'`)
      requirements.push(this.#requirement())
      const separator = this.#next()
      if (separator.kind === '') return requirements
      if (separator.kind !== ',') throw refuse(`found '${separator.text}', expected: ',' or 'end of string'`)
      const following = this.#peek()
      if (following.kind !== 'identifier' && following.kind !== '!')
        throw refuse(`found '${following.text}', expected: identifier after ','`)
    }
  }

  /** Where a name or value may stand, `in` and `notin` are ordinary words. */
  #peek(): Token {
    const token = this.#tokens[this.#position] ?? end
    return token.kind === 'in' || token.kind === 'notin' ? { kind: 'identifier', text: token.text } : token
  }

  #next(): Token {
    const token = this.#peek()
    this.#position++
    return token
  }

  #requirement(): LabelRequirement {
    let token = this.#next()
    const negated = token.kind === '!'
    if (negated) token = this.#next()
    if (token.kind !== 'identifier') throw refuse(`${inRequirement}found '${token.text}', expected: identifier`)
    const key = token.text
    const faults = labelKeyFaults(key)
    if (faults.length > 0) throw refuse(`${inRequirement}<nil>: Invalid value: ${JSON.stringify(key)}: ${faults.join('; ')}`)
    const following = this.#peek()
    if (negated || following.kind === '' || following.kind === ',')
      return labelRequirement(key, negated ? '!' : 'exists', [], inRequirement)
    const operatorToken = this.#tokens[this.#position++] ?? end
    const operator = operatorOf[operatorToken.kind]
    if (operator === undefined) throw refuse(`${inRequirement}found '${operatorToken.text}', expected: ${binaryOperators}`)
    const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()]
    return labelRequirement(key, operator, values, inRequirement)
  }

  #exactValue(): string {
    const token = this.#peek()
    if (token.kind === '' || token.kind === ',') return ''
    this.#position++
    if (token.kind !== 'identifier') throw refuse(`${inRequirement}found '${token.text}', expected: identifier`)
    return token.text
  }

  /** `(a,b)`. An empty place between commas is the empty value; `()` is no value at all. */
  #values(): string[] {
    const open = this.#next()
    if (open.kind !== '(') throw refuse(`${inRequirement}found '${open.text}' expected: '('`)
    if (this.#peek().kind === ')') {
      this.#position++
      return []
    }
    const values: string[] = []
    for (;;) {
      const token = this.#peek()
      if (token.kind === 'identifier') {
        values.push(token.text)
        this.#position++
      } else if (token.kind === ',' || token.kind === ')') values.push('')
      else throw refuse(`${inRequirement}found '${token.text}', expected: ',', ')' or identifier`)
      const separator = this.#next()
      if (separator.kind === ')') return values
      if (separator.kind !== ',') throw refuse(`${inRequirement}found '${separator.text}', expected: ',' or ')'`)
    }
  }
}

const refuse = (message: string): ApiError => new ApiError('BadRequest', message)

/**
 * Reads the `labelSelector` of a request: `a=b, c!=d, e in (f,g), h notin (i), j, !k, l>1, m<2`.
 * The empty string selects everything. Throws BadRequest in Kubernetes' wording.
 */
export const parseLabelSelector = (text: string): readonly LabelRequirement[] => new LabelSelectorParser(tokenize(text)).parse()

/** The inverse of {@link parseLabelSelector}, requirements sorted by key. */
export const formatLabelSelector = (requirements: readonly LabelRequirement[]): string =>
  [...requirements]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(formatLabelRequirement)
    .join(',')
