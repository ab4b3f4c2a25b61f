export { AddressClaims } from './address-claims.ts'
export { type DatagramTarget, type DatagramTargets, datagramTargets } from './datagram-targets.ts'
export { eligibleEndpoints, localEndpoints, type RoutingPlace } from './eligible-endpoints.ts'
export { type FamilyChanges, KernelProxy, type RuleKeeper } from './kernel-proxy.ts'
export {
  type AddressFamily,
  addressFamilyOf,
  type ServiceAddress,
  serviceAddresses,
  shortestAddress,
  unroutableAddress,
} from './service-addresses.ts'
export { type RuleChange, type RuleObjects, ServiceProgramme, type ServiceRuleMaker } from './service-programme.ts'
