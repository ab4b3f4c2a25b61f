export { type BrokenProxy, brokenProxies } from './broken-proxies.ts'
export { type OpenedProxy, type ProxyCheck, runProxyCheck } from './proxy-check.ts'
export { proxyChecks } from './proxy-checks.ts'
export { proxySuite } from './proxy-suite.ts'
