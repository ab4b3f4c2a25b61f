import { ContinuoError } from '@continuo/core'
import { definitions } from '../generated/definitions.ts'
import { protobufAliases, protobufFields } from '../tables/protobuf-fields.ts'
import { presentWhenZero } from '../tables/protobuf-presence.ts'

export type Scalar = 's' | 'b' | 'i' | 'l' | 'd' | 'y'

/** One field of a message. */
export interface MessageField {
  /** Its key in JSON. */
  readonly name: string
  readonly number: number
  readonly label: 'one' | 'repeated' | 'map'
  /** A scalar, or the full name of a message. */
  readonly type: Scalar | (string & {})
  readonly isMessage: boolean
  /** Its fields stand among those of the parent. */
  readonly inline: boolean
  /** A zero on the wire is a value. */
  readonly keepsZero: boolean
}

export interface Message {
  readonly name: string
  readonly fields: readonly MessageField[]
  readonly byNumber: ReadonlyMap<number, MessageField>
}

// A cache of pure results: the table never changes while a process runs.
const built = new Map<string, Message>()

/** The message of a full name such as `k8s.io.api.apps.v1.Deployment`; undefined when Kubernetes has none. Built at the first call. */
export function messageOf(name: string): Message | undefined {
  const ready = built.get(name)
  if (ready !== undefined) return ready
  const dot = name.lastIndexOf('.')
  const text = protobufFields[name.slice(0, dot)]?.[name.slice(dot + 1)]
  if (text === undefined) return undefined
  const required = requiredOf(name)
  const fields = text === '' ? [] : text.split(';').map((entry) => readField(entry, name, required))
  const message: Message = { name, fields, byNumber: new Map(fields.map((field) => [field.number, field])) }
  built.set(name, message)
  return message
}

/** {@link messageOf} for a name out of the table, which must exist. */
export function knownMessage(name: string): Message {
  const message = messageOf(name)
  if (message === undefined) throw new ContinuoError('PROTOBUF_UNKNOWN_KIND', `the protobuf table has no message ${name}`)
  return message
}

function readField(entry: string, owner: string, required: ReadonlySet<string>): MessageField {
  const [key, number, code] = entry.split(' ') as [string, string, string]
  const inline = key.startsWith('+')
  const name = inline ? key.slice(1) : key
  const label = code.startsWith('*') ? 'repeated' : code.startsWith('%') ? 'map' : 'one'
  const bare = label === 'one' ? code : code.slice(1)
  const isMessage = bare.startsWith('@')
  const short = owner.slice(owner.lastIndexOf('.') + 1)
  return {
    name,
    number: Number(number),
    label,
    type: isMessage ? fullName(bare.slice(1), owner) : bare,
    isMessage,
    inline,
    keepsZero: label !== 'one' || required.has(name) || presentWhenZero.has(name) || presentWhenZero.has(`${short}.${name}`),
  }
}

function fullName(reference: string, owner: string): string {
  const dot = reference.lastIndexOf('.')
  const home = reference.slice(0, dot)
  return `${home === '' ? owner.slice(0, owner.lastIndexOf('.')) : (protobufAliases[home] ?? home)}${reference.slice(dot)}`
}

/** Properties that the schema of the same definition requires. */
function requiredOf(message: string): ReadonlySet<string> {
  const text =
    definitions[
      message
        .replace(/^k8s\.io\./, 'io.k8s.')
        .replace('kube_aggregator', 'kube-aggregator')
        .replace('extensions_apiserver', 'extensions-apiserver')
    ] ?? ''
  return new Set([...text.matchAll(/(?:^|;)([^ ;]+)! /g)].map((match) => match[1] as string))
}

const packages: Readonly<Record<string, string>> = {
  '': 'k8s.io.api.core',
  'apiextensions.k8s.io': 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions',
  'apiregistration.k8s.io': 'k8s.io.kube_aggregator.pkg.apis.apiregistration',
  'internal.apiserver.k8s.io': 'k8s.io.api.apiserverinternal',
  'metrics.k8s.io': 'k8s.io.metrics.pkg.apis.metrics',
}
const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1'
/** Groups of Kubernetes itself: without a dot, or below its domain. A custom `apps.example.com` is no `apps`. */
const official = /^[^.]*$|\.k8s\.io$/

/** The message that carries a kind; kinds of meta/v1 (DeleteOptions, Status) travel under any group. */
export function messageOfKind(apiVersion: string, kind: string): Message | undefined {
  const slash = apiVersion.indexOf('/')
  const group = slash < 0 ? '' : apiVersion.slice(0, slash)
  const version = slash < 0 ? apiVersion : apiVersion.slice(slash + 1)
  const home = official.test(group) ? (packages[group] ?? `k8s.io.api.${group.split('.')[0]}`) : undefined
  return (home === undefined ? undefined : messageOf(`${home}.${version}.${kind}`)) ?? messageOf(`${meta}.${kind}`)
}
