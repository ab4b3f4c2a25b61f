import { type DeepReadonly, type FieldError, fieldError, jsonEqual, validateLabels } from '@continuo/core'
import type { ServicePort, ServiceSpec } from '../../generated/types/core-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, isDnsLabel, isDnsSubdomain } from '../../rules/names.ts'
import { checkNetwork } from '../../rules/networks.ts'
import { addressFamily, checkAddress, checkOneOf, checkPort, checkPortNumber } from '../../rules/values.ts'

const daySeconds = 86_400

/** A service's spec, defaulted (`pkg/apis/core/validation`, ValidateService). */
export function checkService(spec: DeepReadonly<ServiceSpec>, errors: FieldError[]): void {
  const headless = spec.clusterIP === 'None'
  if ((spec.ports?.length ?? 0) === 0 && !headless && spec.type !== 'ExternalName') errors.push(fieldError.required('spec.ports'))
  checkOneOf(spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'], 'spec.type', errors)
  checkOneOf(spec.sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity', errors)
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (seconds !== undefined && (seconds <= 0 || seconds > daySeconds))
    errors.push(
      fieldError.invalid(
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
        seconds,
        `must be greater than 0 and less than ${daySeconds}`,
      ),
    )
  checkPorts(spec, errors)
  validateLabels(spec.selector, 'spec.selector', errors)
  checkAddresses(spec, headless, errors)
  if (spec.externalTrafficPolicy) checkOneOf(spec.externalTrafficPolicy, ['Cluster', 'Local'], 'spec.externalTrafficPolicy', errors)
  if (spec.internalTrafficPolicy) checkOneOf(spec.internalTrafficPolicy, ['Cluster', 'Local'], 'spec.internalTrafficPolicy', errors)
  if (spec.ipFamilyPolicy)
    checkOneOf(spec.ipFamilyPolicy, ['SingleStack', 'PreferDualStack', 'RequireDualStack'], 'spec.ipFamilyPolicy', errors)
  if (spec.type === 'ExternalName') {
    const name = spec.externalName?.replace(/\.$/, '')
    if (!name) errors.push(fieldError.required('spec.externalName'))
    else checkName(isDnsSubdomain, name, 'spec.externalName', errors)
  }
  checkBalancing(spec, errors)
  if (spec.loadBalancerClass !== undefined && spec.type !== 'LoadBalancer')
    errors.push(fieldError.forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"))
}

/** What only services that are reached from outside may say. */
function checkBalancing(spec: DeepReadonly<ServiceSpec>, errors: FieldError[]): void {
  const isBalanced = spec.type === 'LoadBalancer'
  const isExternal = isBalanced || spec.type === 'NodePort' || (spec.externalIPs?.length ?? 0) > 0
  if (spec.externalTrafficPolicy && !isExternal)
    errors.push(
      fieldError.invalid('spec.externalTrafficPolicy', spec.externalTrafficPolicy, 'may only be set for externally-accessible services'),
    )
  if (spec.healthCheckNodePort && !(isBalanced && spec.externalTrafficPolicy === 'Local'))
    errors.push(
      fieldError.invalid(
        'spec.healthCheckNodePort',
        spec.healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    )
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalanced)
    errors.push(fieldError.forbidden('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"))
  if ((spec.loadBalancerSourceRanges?.length ?? 0) > 0 && !isBalanced)
    errors.push(fieldError.forbidden('spec.loadBalancerSourceRanges', "may only be used when `type` is 'LoadBalancer'"))
  each(spec.loadBalancerSourceRanges, 'spec.loadBalancerSourceRanges', (range, at) => checkNetwork(range.trim(), at, errors))
  if (spec.sessionAffinity === 'None' && spec.sessionAffinityConfig !== undefined)
    errors.push(fieldError.forbidden('spec.sessionAffinityConfig', `must not be set when session affinity is None`))
  checkFamilies(spec, errors)
}

function checkFamilies({ ipFamilies = [], ipFamilyPolicy, type }: DeepReadonly<ServiceSpec>, errors: FieldError[]): void {
  if (type === 'ExternalName') {
    if (ipFamilies.length > 0) errors.push(fieldError.forbidden('spec.ipFamilies[0]', 'may not be set for ExternalName services'))
    if (ipFamilyPolicy) errors.push(fieldError.forbidden('spec.ipFamilyPolicy', 'may not be set for ExternalName services'))
    return
  }
  ipFamilies.forEach((family, index) => {
    checkOneOf(family, ['IPv4', 'IPv6'], `spec.ipFamilies[${index}]`, errors)
    if (ipFamilies.indexOf(family) !== index) errors.push(fieldError.duplicate(`spec.ipFamilies[${index}]`, family))
  })
  if (ipFamilies.length > 1 && ipFamilyPolicy === 'SingleStack')
    errors.push(
      fieldError.invalid(
        'spec.ipFamilyPolicy',
        ipFamilyPolicy,
        'must be RequireDualStack or PreferDualStack when multiple `ipFamilies` are specified',
      ),
    )
}

/** What an update may not change: addresses that were given out. */
export function checkServiceUpdate(next: DeepReadonly<ServiceSpec>, old: DeepReadonly<ServiceSpec>, errors: FieldError[]): void {
  if (next.type === 'ExternalName' || old.type === 'ExternalName') return
  if (old.clusterIP && next.clusterIP !== old.clusterIP)
    errors.push(fieldError.invalid('spec.clusterIPs[0]', next.clusterIPs ?? [], 'may not change once set'))
  else if (old.clusterIPs !== undefined && old.clusterIPs.length > 0 && !jsonEqual(next.clusterIPs?.[0], old.clusterIPs[0]))
    errors.push(fieldError.invalid('spec.clusterIPs[0]', next.clusterIPs ?? [], 'may not change once set'))
  if (old.type === 'LoadBalancer' && next.type === 'LoadBalancer' && next.loadBalancerClass !== old.loadBalancerClass)
    errors.push(fieldError.invalid('spec.loadBalancerClass', next.loadBalancerClass, 'may not change once set'))
}

function checkPorts({ ports = [], type }: DeepReadonly<ServiceSpec>, errors: FieldError[]): void {
  const names = new Set<string>()
  const numbers = new Set<string>()
  const nodePorts = new Set<string>()
  ports.forEach((port, index) => {
    const path = `spec.ports[${index}]`
    checkPortName(port, ports.length > 1, names, path, errors)
    checkPortNumber(port.port, `${path}.port`, errors)
    checkOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`, errors)
    if (port.targetPort !== undefined) checkPort(port.targetPort, `${path}.targetPort`, errors)
    const identity = `${port.protocol}/${port.port}`
    if (numbers.has(identity)) errors.push(fieldError.duplicate(path, { protocol: port.protocol, port: port.port }))
    numbers.add(identity)
    if (!port.nodePort) return
    if (type === 'ClusterIP' || type === 'ExternalName')
      errors.push(fieldError.forbidden(`${path}.nodePort`, `may not be used when \`type\` is '${type}'`))
    else checkPortNumber(port.nodePort, `${path}.nodePort`, errors)
    const exposed = `${port.protocol}/${port.nodePort}`
    if (nodePorts.has(exposed)) errors.push(fieldError.duplicate(`${path}.nodePort`, port.nodePort))
    nodePorts.add(exposed)
  })
}

function checkPortName(
  { name }: DeepReadonly<ServicePort>,
  required: boolean,
  taken: Set<string>,
  path: string,
  errors: FieldError[],
): void {
  if (!name) {
    if (required) errors.push(fieldError.required(`${path}.name`))
    return
  }
  checkName(isDnsLabel, name, `${path}.name`, errors)
  if (taken.has(name)) errors.push(fieldError.duplicate(`${path}.name`, name))
  taken.add(name)
}

function checkAddresses(spec: DeepReadonly<ServiceSpec>, headless: boolean, errors: FieldError[]): void {
  each(spec.externalIPs, 'spec.externalIPs', (address, at) => checkAddress(address, at, errors))
  if (spec.type === 'ExternalName') {
    if ((spec.clusterIPs?.length ?? 0) > 0)
      errors.push(fieldError.forbidden('spec.clusterIPs[0]', 'may not be set for ExternalName services'))
    return
  }
  if (headless && spec.type !== 'ClusterIP')
    errors.push(fieldError.invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`))
  if (spec.clusterIP !== undefined && spec.clusterIPs !== undefined && spec.clusterIPs.length > 0 && spec.clusterIPs[0] !== spec.clusterIP)
    errors.push(fieldError.invalid('spec.clusterIPs', spec.clusterIPs, 'first value must match `clusterIP`'))
  if ((spec.clusterIPs?.length ?? 0) > 2)
    errors.push(fieldError.invalid('spec.clusterIPs', spec.clusterIPs, 'may only hold up to 2 values'))
  spec.clusterIPs?.forEach((address, index) => {
    if (address !== 'None' && addressFamily(address) === undefined)
      errors.push(fieldError.invalid(`spec.clusterIPs[${index}]`, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
  })
}
