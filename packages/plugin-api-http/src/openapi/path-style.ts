type Json = Record<string, unknown>

/** Where a document keeps schemas, and how it words types of parameters and bodies. */
export interface PathStyle {
  /** A parameter in a query or path. */
  parameter(name: string, place: 'query' | 'path', type: 'string' | 'integer' | 'boolean', description: string): Json
  /** Body and answers of an operation. */
  body(reference: Json | undefined, mediaTypes: readonly string[]): Json
  answers(reference: Json | undefined, codes: readonly number[]): Json
}

const text = { description: 'OK' }

/** OpenAPI 3.0. */
export const style3: PathStyle = {
  parameter: (name, place, type, description) => ({
    name,
    in: place,
    description,
    ...(place === 'path' ? { required: true } : {}),
    schema: { type, uniqueItems: true },
  }),
  body: (reference, mediaTypes) =>
    reference === undefined
      ? {}
      : { requestBody: { content: Object.fromEntries(mediaTypes.map((type) => [type, { schema: reference }])) } },
  answers: (reference, codes) => ({
    responses: Object.fromEntries(
      codes.map((code) => [
        String(code),
        reference === undefined
          ? { ...text, content: { '*/*': { schema: { type: 'string' } } } }
          : { description: 'OK', content: { 'application/json': { schema: reference }, 'application/yaml': { schema: reference } } },
      ]),
    ),
  }),
}

/** OpenAPI 2.0 (Swagger). */
export const style2: PathStyle = {
  parameter: (name, place, type, description) => ({
    name,
    in: place,
    description,
    ...(place === 'path' ? { required: true } : {}),
    type,
    uniqueItems: true,
  }),
  body: (reference, mediaTypes) => ({
    consumes: reference === undefined ? ['*/*'] : mediaTypes,
    produces: ['application/json', 'application/yaml'],
    schemes: ['https'],
    ...(reference === undefined ? {} : { bodyParameters: [{ name: 'body', in: 'body', required: true, schema: reference }] }),
  }),
  answers: (reference, codes) => ({
    responses: Object.fromEntries(codes.map((code) => [String(code), { description: 'OK', schema: reference ?? { type: 'string' } }])),
  }),
}
