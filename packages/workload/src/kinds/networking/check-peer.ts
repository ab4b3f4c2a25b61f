import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { IPBlock, NetworkPolicyPeer, NetworkPolicyPort } from '../../generated/types/networking-v1.ts'
import { each } from '../../rules/each.ts'
import { checkNetwork, isStrictlyWithin, parseNetwork } from '../../rules/networks.ts'
import { checkLabelSelector } from '../../rules/selectors.ts'
import { checkOneOf, checkPort, checkPortNumber } from '../../rules/values.ts'

/** From whom, or to whom, a network policy lets pass: pods, namespaces, or addresses. */
export function checkPeer(
  { podSelector, namespaceSelector, ipBlock }: DeepReadonly<NetworkPolicyPeer>,
  path: string,
  errors: FieldError[],
): void {
  checkLabelSelector(podSelector, `${path}.podSelector`, errors)
  checkLabelSelector(namespaceSelector, `${path}.namespaceSelector`, errors)
  if (ipBlock !== undefined) checkBlock(ipBlock, `${path}.ipBlock`, errors)
  const selects = podSelector !== undefined || namespaceSelector !== undefined
  if (ipBlock === undefined && !selects) errors.push(fieldError.required(path, 'must specify a peer'))
  if (ipBlock !== undefined && selects) errors.push(fieldError.forbidden(path, 'may not specify both ipBlock and another peer'))
}

function checkBlock({ cidr, except }: DeepReadonly<IPBlock>, path: string, errors: FieldError[]): void {
  if (!cidr) {
    errors.push(fieldError.required(`${path}.cidr`))
    return
  }
  checkNetwork(cidr, `${path}.cidr`, errors)
  const whole = parseNetwork(cidr)
  each(except, `${path}.except`, (text, at) => {
    checkNetwork(text, at, errors)
    const part = parseNetwork(text)
    if (whole !== undefined && part !== undefined && !isStrictlyWithin(part, whole))
      errors.push(fieldError.invalid(at, text, 'must be a strict subset of `cidr`'))
  })
}

/** A port, by name, or a range of ports, by numbers. */
export function checkPolicyPort({ port, endPort, protocol }: DeepReadonly<NetworkPolicyPort>, path: string, errors: FieldError[]): void {
  checkOneOf(protocol, ['TCP', 'UDP', 'SCTP'], `${path}.protocol`, errors)
  if (port !== undefined) checkPort(port, `${path}.port`, errors)
  if (endPort === undefined) return
  const at = `${path}.endPort`
  if (port === undefined) errors.push(fieldError.invalid(at, endPort, 'may not be specified when `port` is not specified'))
  else if (typeof port === 'string') errors.push(fieldError.invalid(at, endPort, 'may not be specified when `port` is non-numeric'))
  else {
    if (endPort < port) errors.push(fieldError.invalid(at, endPort, 'must be greater than or equal to `port`'))
    checkPortNumber(endPort, at, errors)
  }
}
