import { CelCompileError } from '../cel-error.ts'
import type { Node, StructLiteral } from './ast.ts'
import { type Token, tokenize } from './lexer.ts'
import { expandMacro } from './macros.ts'

/** Kubernetes' own bounds of an expression: its length, and how deep it may nest. */
const maxLength = 100_000
const maxDepth = 250
/** What a chain such as `a + a + …` or `a.b.c…` may nest to. */
const maxChain = 1_000
const maxNodes = 20_000

const reserved = new Set('as break const continue else for function if import let loop package namespace return var void while'.split(' '))

/** Binary operators that are functions, by how tightly they bind. */
const levels: readonly (readonly string[])[] = [
  ['<', '<=', '>', '>=', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
]

/** Reads an expression. Throws {@link CelCompileError}; bounded in time and depth by the length of the source. */
export function parse(source: string): Node {
  if (source.length > maxLength)
    throw new CelCompileError('', 0, `expression code point size exceeds limit: size: ${source.length}, limit ${maxLength}`)
  return new Parser(source).whole()
}

class Parser {
  readonly #source: string
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0
  #nodes = 0

  constructor(source: string) {
    this.#source = source
    this.#tokens = tokenize(source)
  }

  whole(): Node {
    const node = this.#expression()
    if (this.#token.kind !== 'end') this.#unexpected()
    return node
  }

  get #token(): Token {
    return this.#tokens[this.#next] as Token
  }

  #fail(at: number, detail: string): never {
    throw new CelCompileError(this.#source, at, detail)
  }

  #unexpected(): never {
    const { text, at } = this.#token
    return this.#fail(at, `Syntax error: ${text === '' ? "mismatched input '<EOF>'" : `extraneous input '${text}'`}`)
  }

  /** Takes the operator when it is next. */
  #take(text: string): Token | undefined {
    const token = this.#token
    const isNext = token.kind === 'operator' ? token.text === text : text === 'in' && token.kind === 'identifier' && token.text === 'in'
    if (!isNext) return undefined
    this.#next++
    return token
  }

  #expect(text: string): Token {
    return this.#take(text) ?? this.#unexpected()
  }

  #node<T extends Node>(node: T): T {
    if (++this.#nodes > maxNodes) this.#fail(node.at, `expression has more than ${maxNodes} parts`)
    return node
  }

  /** Runs one level deeper; `steps` counts the links of a chain as well. */
  #deeper<T>(read: () => T): T {
    if (++this.#depth > maxDepth) this.#fail(this.#token.at, `expression recursion limit exceeded: ${maxDepth}`)
    try {
      return read()
    } finally {
      this.#depth--
    }
  }

  #chained(count: number): void {
    if (count > maxChain) this.#fail(this.#token.at, `expression recursion limit exceeded: ${maxChain}`)
  }

  #expression(): Node {
    return this.#deeper(() => {
      const test = this.#logic('||', () => this.#logic('&&', () => this.#binary(0)))
      const question = this.#take('?')
      if (question === undefined) return test
      const yes = this.#logic('||', () => this.#logic('&&', () => this.#binary(0)))
      this.#expect(':')
      return this.#node({ kind: 'conditional', at: question.at, test, yes, no: this.#expression() })
    })
  }

  #logic(operator: '&&' | '||', operand: () => Node): Node {
    const first = operand()
    let at = -1
    const operands = [first]
    for (let token = this.#take(operator); token !== undefined; token = this.#take(operator)) {
      if (at < 0) at = token.at
      operands.push(operand())
    }
    return at < 0 ? first : this.#node({ kind: 'logic', at, operator, operands })
  }

  #binary(level: number): Node {
    const operators = levels[level]
    if (operators === undefined) return this.#unary()
    let left = this.#binary(level + 1)
    for (let links = 0; ; links++) {
      const token = this.#token
      const name = operators.find((candidate) => this.#take(candidate) !== undefined)
      if (name === undefined) return left
      this.#chained(links)
      const right = this.#binary(level + 1)
      left = this.#node({ kind: 'call', at: token.at, name: `_${name}_`, args: [left, right] })
    }
  }

  #unary(): Node {
    const sign = this.#token
    const name = this.#take('!') ? '!_' : this.#take('-') ? '-_' : undefined
    if (name === undefined) return this.#postfix(this.#primary(false))
    const { value, kind } = this.#token
    if (name === '-_' && kind === 'literal' && (typeof value === 'bigint' || typeof value === 'number'))
      return this.#postfix(this.#primary(true))
    const operand = this.#deeper(() => this.#unary())
    return this.#node({ kind: 'call', at: sign.at, name, args: [operand] })
  }

  #postfix(start: Node): Node {
    let node = start
    for (let links = 0; ; links++) {
      this.#chained(links)
      const optionalField = this.#take('.?')
      const dot = optionalField ?? this.#take('.')
      if (dot !== undefined) {
        const field = this.#identifier()
        const { at } = dot
        if (optionalField === undefined && this.#take('(')) node = this.#call(at, field.text, node)
        else if (optionalField === undefined && this.#isStruct(node)) node = this.#struct(`${qualifiedName(node)}.${field.text}`, at)
        else
          node = this.#node({
            kind: 'select',
            at,
            operand: node,
            field: unquote(field.text),
            optional: optionalField !== undefined,
            test: false,
          })
        continue
      }
      const optionalIndex = this.#take('[?')
      const bracket = optionalIndex ?? this.#take('[')
      if (bracket === undefined) return node
      const index = this.#expression()
      this.#expect(']')
      node = this.#node({ kind: 'index', at: bracket.at, operand: node, index, optional: optionalIndex !== undefined })
    }
  }

  /** Whether a brace follows what reads as the name of a message. */
  #isStruct(node: Node | undefined): boolean {
    return this.#token.text === '{' && this.#token.kind === 'operator' && (node === undefined || qualifiedName(node) !== undefined)
  }

  #identifier(): Token {
    const token = this.#token
    if (token.kind !== 'identifier' || token.text === 'in') return this.#unexpected()
    this.#next++
    return token
  }

  #primary(negative: boolean): Node {
    const token = this.#token
    if (token.kind === 'literal') {
      this.#next++
      const value = token.value as NonNullable<Token['value']>
      if (!negative) {
        if (value === 2n ** 63n) this.#fail(token.at, 'Syntax error: invalid int literal')
        return this.#node({ kind: 'literal', at: token.at, value })
      }
      return this.#node({ kind: 'literal', at: token.at - 1, value: typeof value === 'bigint' ? -value : -(value as number) })
    }
    if (this.#take('(')) {
      const inner = this.#expression()
      this.#expect(')')
      return inner
    }
    if (this.#take('[')) return this.#list(token.at, false)
    if (this.#take('[?')) return this.#list(token.at, true)
    if (this.#take('{')) return this.#map(token.at)
    this.#take('.')
    return this.#name()
  }

  #name(): Node {
    const { text, at } = this.#identifier()
    switch (text) {
      case 'true':
      case 'false':
        return this.#node({ kind: 'literal', at, value: text === 'true' })
      case 'null':
        return this.#node({ kind: 'literal', at, value: null })
    }
    if (this.#take('(')) return this.#call(at, text)
    if (reserved.has(text)) this.#fail(at, `Syntax error: reserved identifier: ${text}`)
    if (this.#isStruct(undefined)) return this.#struct(text, at)
    return this.#node({ kind: 'identifier', at, name: text })
  }

  #call(at: number, name: string, target?: Node): Node {
    const args: Node[] = []
    while (!this.#take(')')) {
      if (args.length > 0) this.#expect(',')
      args.push(this.#expression())
    }
    const fail = (node: Node, detail: string): never => this.#fail(node.at, detail)
    return this.#node(expandMacro({ kind: 'call', at, name, args, ...(target === undefined ? {} : { target }) }, fail))
  }

  #list(at: number, optionalFirst: boolean): Node {
    const elements: { value: Node; optional: boolean }[] = []
    for (let optional = optionalFirst; !this.#take(']'); optional = false) {
      if (elements.length > 0) {
        this.#expect(',')
        if (this.#take(']')) break
      }
      const isOptional = optional || this.#take('?') !== undefined
      elements.push({ value: this.#expression(), optional: isOptional })
    }
    return this.#node({ kind: 'list', at, elements })
  }

  #map(at: number): Node {
    const entries: { key: Node; value: Node; optional: boolean }[] = []
    while (!this.#take('}')) {
      if (entries.length > 0) {
        this.#expect(',')
        if (this.#take('}')) break
      }
      const optional = this.#take('?') !== undefined
      const key = this.#expression()
      this.#expect(':')
      entries.push({ key, value: this.#expression(), optional })
    }
    return this.#node({ kind: 'map', at, entries })
  }

  #struct(name: string, at: number): Node {
    this.#expect('{')
    const fields: StructLiteral['fields'][number][] = []
    while (!this.#take('}')) {
      if (fields.length > 0) {
        this.#expect(',')
        if (this.#take('}')) break
      }
      const optional = this.#take('?') !== undefined
      const field = this.#identifier()
      this.#expect(':')
      fields.push({ name: unquote(field.text), at: field.at, value: this.#expression(), optional })
    }
    return this.#node({ kind: 'struct', at, name, fields })
  }
}

const unquote = (name: string): string => (name.startsWith('`') ? name.slice(1, -1) : name)

/** `a.b.c` of a chain of plain selections, which may name a function, a type or a message. */
export function qualifiedName(node: Node): string | undefined {
  if (node.kind === 'identifier') return node.name
  if (node.kind !== 'select' || node.optional || node.test) return undefined
  const operand = qualifiedName(node.operand)
  return operand === undefined ? undefined : `${operand}.${node.field}`
}
