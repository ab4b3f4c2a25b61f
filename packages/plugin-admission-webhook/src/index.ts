export { admissionWebhook, admissionWebhook as default } from './admission-webhook.ts'
