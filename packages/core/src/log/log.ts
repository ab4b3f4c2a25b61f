import { capability } from '../capability/capability.ts'

/** Structured log. Fields first, then a constant message; secrets are redacted before they get here. */
export interface Log {
  trace(fields: Record<string, unknown>, message: string): void
  debug(fields: Record<string, unknown>, message: string): void
  info(fields: Record<string, unknown>, message: string): void
  warn(fields: Record<string, unknown>, message: string): void
  error(fields: Record<string, unknown>, message: string): void
  child(fields: Record<string, unknown>): Log
}

export const LogCap = capability<Log>('log/v1')

/** A log that writes nothing. */
export const silentLog: Log = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
}
