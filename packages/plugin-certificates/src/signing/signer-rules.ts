import type { AlternativeName } from '@continuo/lib-certificates'
import type { Requested } from '../requests/requested.ts'

/** What a signer asks of a request; undefined when it may be signed, else why not. Pure. */
export type SignerRule = (requested: Requested) => string | undefined

const nodeGroup = 'system:nodes'
const nodePrefix = 'system:node:'
const servingUsages = ['key encipherment', 'digital signature', 'server auth']
const clientUsages = ['key encipherment', 'digital signature', 'client auth']

const has = (requested: Requested, type: AlternativeName['type']): boolean => requested.names.some((name) => name.type === type)

const sameSet = (a: readonly string[], b: readonly string[]): boolean => {
  const [left, right] = [new Set(a), new Set(b)]
  return left.size === right.size && [...left].every((word) => right.has(word))
}

/** Key encipherment is for RSA keys: others leave it out. */
const areUsages = (given: readonly string[], wanted: readonly string[]): boolean =>
  sameSet(given, wanted) || sameSet(given, wanted.slice(1))

function isOfNode({ organizations, commonNames }: Requested): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== nodeGroup) return `subject organization is not ${nodeGroup}`
  const [name, ...more] = commonNames
  if (name === undefined || more.length > 0 || !name.startsWith(nodePrefix) || name === nodePrefix)
    return `subject common name does not begin with ${nodePrefix}`
  return undefined
}

/** A client certificate of a node: exactly its groups, name and usages, and no other name beside it. */
export const nodeClientRule: SignerRule = (requested) => {
  const fault = isOfNode(requested)
  if (fault !== undefined) return fault
  const [name] = requested.names
  if (name !== undefined) return `${words[name.type]} subjectAltNames are not allowed`
  return areUsages(requested.usages, clientUsages) ? undefined : usagesFault(clientUsages)
}

/** A serving certificate of a node: its addresses and DNS names, and nothing else. */
export const nodeServingRule: SignerRule = (requested) => {
  const fault = isOfNode(requested)
  if (fault !== undefined) return fault
  if (!has(requested, 'dns') && !has(requested, 'ip')) return 'DNS or IP subjectAltName is required'
  const strange = requested.names.find(({ type }) => type !== 'dns' && type !== 'ip')
  if (strange !== undefined) return `${words[strange.type]} subjectAltNames are not allowed`
  return areUsages(requested.usages, servingUsages) ? undefined : usagesFault(servingUsages)
}

/** A client of the API: any subject that was approved, for nothing but being a client. */
export const clientRule: SignerRule = ({ usages }) =>
  usages.includes('client auth') && usages.every((usage) => clientUsages.includes(usage)) ? undefined : usagesFault(clientUsages)

const words: Readonly<Record<AlternativeName['type'], string>> = { dns: 'DNS', email: 'email', ip: 'IP', uri: 'URI', other: 'other' }

const usagesFault = (wanted: readonly string[]): string => `usages did not match [${wanted.join(' ')}]`

/** The signers that this plugin can be, each with its rule: facts of Kubernetes 1.36. */
export const signerRules = {
  'kubernetes.io/kube-apiserver-client': clientRule,
  'kubernetes.io/kube-apiserver-client-kubelet': nodeClientRule,
  'kubernetes.io/kubelet-serving': nodeServingRule,
} as const satisfies Readonly<Record<string, SignerRule>>

export type SignerName = keyof typeof signerRules
