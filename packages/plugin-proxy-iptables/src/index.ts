export { IptablesKeeper, type IptablesKeeperOptions } from './iptables-keeper.ts'
export { type IptablesRulesOptions, iptablesRules } from './iptables-rules.ts'
export { default, proxyIptables, proxyIptablesConfig } from './proxy-iptables.ts'
