export { encryption, encryption as default, encryptionConfig } from './encryption.ts'
