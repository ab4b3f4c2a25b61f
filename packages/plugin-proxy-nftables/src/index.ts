export { NftablesProxy, type NftablesProxyOptions } from './nftables-proxy.ts'
export { byFamily, default, proxyNftables, proxyNftablesConfig } from './proxy-nftables.ts'
