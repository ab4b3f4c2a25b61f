export { AddressClaims } from './address-claims.ts'
export { eligibleEndpoints, localEndpoints, type RoutingPlace } from './eligible-endpoints.ts'
export { type ServiceAddress, serviceAddresses, shortestAddress, unroutableAddress } from './service-addresses.ts'
