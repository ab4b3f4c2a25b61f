export { NftKeeper, type NftKeeperOptions, type Sync } from './nft-keeper.ts'
export { type NftRulesOptions, nftRules } from './nft-rules.ts'
export { default, proxyNftables, proxyNftablesConfig } from './proxy-nftables.ts'
