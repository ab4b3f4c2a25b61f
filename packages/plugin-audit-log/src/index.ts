export { auditLog, auditLog as default, auditLogConfig } from './audit-log.ts'
