import { formatDurationNanos, parseDurationNanos } from '@continuo/lib-quantity'

/** The raw fields of a message as they were on the wire. */
export type WireFields = Readonly<Record<string, unknown>>

/** How a message whose JSON is not an object of its fields turns into JSON and back. */
export interface JsonForm {
  /** Undefined: the value is absent. */
  toJson(fields: WireFields): unknown
  toWire(json: unknown): WireFields
}

const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1'
const extensions = 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1'
const decoder = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()

/** Seconds since the epoch as RFC 3339, with `digits` of the fraction. Undefined for the zero time, which the wire writes as an empty message. */
function toTimestamp({ seconds, nanos }: WireFields, digits: 0 | 6): string | undefined {
  if (seconds === undefined && nanos === undefined) return undefined
  const text = new Date(Number(seconds ?? 0) * 1000).toISOString()
  if (digits === 0) return `${text.slice(0, 19)}Z`
  return `${text.slice(0, 19)}.${String(Math.floor(Number(nanos ?? 0) / 1000)).padStart(6, '0')}Z`
}

function fromTimestamp(json: unknown): WireFields {
  const text = String(json)
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? ''
  return { seconds: Math.floor(Date.parse(text) / 1000), nanos: Number(fraction.padEnd(9, '0')) }
}

const parseRaw = (raw: unknown): unknown => (raw instanceof Uint8Array && raw.length > 0 ? JSON.parse(decoder.decode(raw)) : undefined)
const rawForm: JsonForm = {
  toJson: ({ raw }) => parseRaw(raw),
  toWire: (json) => ({ raw: encoder.encode(JSON.stringify(json)) }),
}
const itemsForm: JsonForm = { toJson: ({ items }) => items ?? [], toWire: (json) => ({ items: json }) }
const quantityForm: JsonForm = { toJson: ({ string }) => string || '0', toWire: (json) => ({ string: String(json) }) }

/** A schema, or something else in its place: the wire has a field for each. */
const schemaOr = (other: string): JsonForm => ({
  toJson: (fields) => fields.schema ?? fields[other] ?? [],
  toWire: (json) => (Array.isArray(json) ? { [other]: json } : { schema: json }),
})

export const jsonForms: ReadonlyMap<string, JsonForm> = new Map<string, JsonForm>([
  ['k8s.io.apimachinery.pkg.api.resource.Quantity', quantityForm],
  ['k8s.io.apimachinery.pkg.api.resource.QuantityValue', quantityForm],
  [
    'k8s.io.apimachinery.pkg.util.intstr.IntOrString',
    {
      toJson: ({ type, intVal, strVal }) => (Number(type ?? 0) === 1 ? (strVal ?? '') : (intVal ?? 0)),
      toWire: (json) => (typeof json === 'number' ? { type: 0, intVal: json, strVal: '' } : { type: 1, intVal: 0, strVal: json }),
    },
  ],
  [`${meta}.Time`, { toJson: (fields) => toTimestamp(fields, 0), toWire: fromTimestamp }],
  [`${meta}.MicroTime`, { toJson: (fields) => toTimestamp(fields, 6), toWire: fromTimestamp }],
  [
    `${meta}.Duration`,
    {
      toJson: ({ duration }) => formatDurationNanos(BigInt((duration as number | undefined) ?? 0)),
      toWire: (json) => ({ duration: Number(parseDurationNanos(String(json))) }),
    },
  ],
  [`${meta}.FieldsV1`, rawForm],
  ['k8s.io.apimachinery.pkg.runtime.RawExtension', rawForm],
  [`${meta}.Verbs`, itemsForm],
  [`${extensions}.JSON`, rawForm],
  [`${extensions}.JSONSchemaPropsOrArray`, schemaOr('jSONSchemas')],
  [`${extensions}.JSONSchemaPropsOrStringArray`, schemaOr('property')],
  [
    `${extensions}.JSONSchemaPropsOrBool`,
    {
      toJson: ({ allows, schema }) => schema ?? allows ?? false,
      toWire: (json) => (typeof json === 'boolean' ? { allows: json } : { allows: true, schema: json }),
    },
  ],
])

/** The forms above, and lists of text that have a name of their own (`ExtraValue`). */
export const jsonFormOf = (message: string): JsonForm | undefined =>
  jsonForms.get(message) ?? (message.endsWith('.ExtraValue') ? itemsForm : undefined)
