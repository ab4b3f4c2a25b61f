export { isReachable } from './reachable-address.ts'
export type { ServiceDialer, ServiceReference, WebhookAddress } from './webhook-address.ts'
export { type CallOptions, WebhookCaller, type WebhookCallerOptions } from './webhook-caller.ts'
export { WebhookError } from './webhook-error.ts'
