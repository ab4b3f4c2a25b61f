import { createRequire } from 'node:module'
import type { Log } from '@continuo/core'
import pino, { type Logger } from 'pino'

/** Loaded on a terminal only. */
const loadPretty = (): typeof import('pino-pretty') => createRequire(import.meta.url)('pino-pretty')

export interface PinoLogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** For people instead of programs. */
  readonly pretty: boolean
  readonly destination?: NodeJS.WritableStream
}

/** Structured logs by pino, one JSON object a line; pretty on a terminal. */
export function createPinoLog(options: PinoLogOptions): Log {
  const out = options.destination ?? process.stderr
  const stream = options.pretty
    ? loadPretty()({ colorize: true, destination: out, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', singleLine: true })
    : out
  const logger = pino(
    { level: options.level, serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err } },
    stream as pino.DestinationStream,
  )
  return adapt(logger)
}

const adapt = (logger: Logger): Log => ({
  trace: (fields, message) => logger.trace(fields, message),
  debug: (fields, message) => logger.debug(fields, message),
  info: (fields, message) => logger.info(fields, message),
  warn: (fields, message) => logger.warn(fields, message),
  error: (fields, message) => logger.error(fields, message),
  child: (fields) => adapt(logger.child(fields)),
})
