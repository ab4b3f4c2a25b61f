export { conversionWebhook, conversionWebhook as default } from './conversion-webhook.ts'
