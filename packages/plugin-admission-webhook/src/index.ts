export { admissionWebhook, admissionWebhook as default } from './admission-webhook.ts'
export { serviceResolver } from './service-resolver/service-resolver.ts'
