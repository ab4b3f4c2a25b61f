import { ProtobufWriter } from './protobuf-writer.ts'

type Json = Readonly<Record<string, unknown>>

/** Field numbers are those of `openapiv2/OpenAPIv2.proto` of gnostic, which kubectl's OpenAPI v2 client decodes. */

const entries = (value: unknown): [string, Json][] => Object.entries((value ?? {}) as Record<string, Json>)

/** `Any` with a value as YAML text; JSON is YAML. */
const any = (writer: ProtobufWriter, field: number, value: unknown): void => {
  if (value !== undefined) writer.message(field, (inner) => inner.string(2, `${JSON.stringify(value)}\n`))
}

const extensions = (writer: ProtobufWriter, field: number, value: Json): void => {
  for (const [name, extension] of Object.entries(value)) {
    if (name.startsWith('x-') && extension !== undefined) writer.message(field, (named) => any(named.string(1, name), 2, extension))
  }
}

function schema(writer: ProtobufWriter, value: Json): void {
  writer.string(1, value.$ref).string(2, value.format).string(3, value.title).string(4, value.description)
  any(writer, 5, value.default)
  writer
    .double(6, value.multipleOf)
    .double(7, value.maximum)
    .bool(8, value.exclusiveMaximum)
    .double(9, value.minimum)
    .bool(10, value.exclusiveMinimum)
    .integer(11, value.maxLength)
    .integer(12, value.minLength)
    .string(13, value.pattern)
    .integer(14, value.maxItems)
    .integer(15, value.minItems)
    .bool(16, value.uniqueItems)
    .integer(17, value.maxProperties)
    .integer(18, value.minProperties)
    .strings(19, value.required)
  if (Array.isArray(value.enum)) for (const one of value.enum) any(writer, 20, one)
  if (value.additionalProperties !== undefined) {
    writer.message(21, (item) => {
      if (typeof value.additionalProperties === 'boolean') item.bool(2, value.additionalProperties)
      else item.message(1, (inner) => schema(inner, value.additionalProperties as Json))
    })
  }
  if (typeof value.type === 'string') writer.message(22, (item) => item.strings(1, [value.type]))
  if (value.items !== undefined) writer.message(23, (item) => item.message(1, (inner) => schema(inner, value.items as Json)))
  if (value.properties !== undefined) writer.message(25, (properties) => namedSchemas(properties, value.properties))
  any(writer, 30, value.example)
  extensions(writer, 31, value)
}

function namedSchemas(writer: ProtobufWriter, value: unknown): void {
  for (const [name, one] of entries(value)) writer.message(1, (named) => named.string(1, name).message(2, (inner) => schema(inner, one)))
}

function bodyParameter(writer: ProtobufWriter, value: Json): void {
  writer
    .string(1, value.description)
    .string(2, value.name)
    .string(3, value.in)
    .bool(4, value.required)
    .message(5, (inner) => schema(inner, value.schema as Json))
}

/** Query and path parameters have the same fields but for `allow_empty_value`, which shifts the numbers of the query's by one. */
function plainParameter(writer: ProtobufWriter, value: Json): void {
  const isQuery = value.in === 'query'
  writer.message(isQuery ? 3 : 4, (inner) => {
    inner.bool(1, value.required).string(2, value.in).string(3, value.description).string(4, value.name)
    if (isQuery) inner.string(6, value.type).string(7, value.format)
    else inner.string(5, value.type).string(6, value.format)
  })
}

function parameters(writer: ProtobufWriter, field: number, value: unknown): void {
  if (!Array.isArray(value)) return
  for (const one of value as Json[]) {
    writer.message(field, (item) =>
      item.message(1, (parameter) => {
        if (one.in === 'body') parameter.message(1, (body) => bodyParameter(body, one))
        else parameter.message(2, (plain) => plainParameter(plain, one))
      }),
    )
  }
}

function operation(writer: ProtobufWriter, value: Json): void {
  writer
    .strings(1, value.tags)
    .string(3, value.description)
    .string(5, value.operationId)
    .strings(6, value.produces)
    .strings(7, value.consumes)
  parameters(writer, 8, value.parameters)
  writer.message(9, (responses) => {
    for (const [code, response] of entries(value.responses)) {
      responses.message(1, (named) =>
        named.string(1, code).message(2, (one) =>
          one.message(1, (inner) => {
            inner.string(1, response.description)
            if (response.schema !== undefined) inner.message(2, (item) => item.message(1, (body) => schema(body, response.schema as Json)))
          }),
        ),
      )
    }
  })
  writer.strings(10, value.schemes)
  extensions(writer, 13, value)
}

const methods = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 } as const

function pathItem(writer: ProtobufWriter, value: Json): void {
  for (const [method, field] of Object.entries(methods)) {
    const one = value[method]
    if (one !== undefined) writer.message(field, (inner) => operation(inner, one as Json))
  }
  parameters(writer, 9, value.parameters)
}

/** An OpenAPI v2 document as gnostic's protobuf message `openapi.v2.Document`. Pure. */
export function encodeGnostic(document: Json): Uint8Array {
  const info = document.info as Json
  return new ProtobufWriter()
    .string(1, document.swagger)
    .message(2, (writer) => writer.string(1, info.title).string(2, info.version))
    .message(8, (writer) => {
      for (const [path, item] of entries(document.paths))
        writer.message(2, (named) => named.string(1, path).message(2, (inner) => pathItem(inner, item)))
    })
    .message(9, (writer) => namedSchemas(writer, document.definitions))
    .finish()
}
