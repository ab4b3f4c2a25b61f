export { networkRouted, networkRouted as default } from './network-routed.ts'
export { RoutedNetwork, type RoutedNetworkOptions } from './routed-network.ts'
