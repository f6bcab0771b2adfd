import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { CallreelError } from './errors.ts';

export type Logger = PinoLogger;

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const sensitiveKeys = [
  'authToken',
  'auth_token',
  'authorization',
  'Authorization',
  'password',
  'secret',
  'token',
  'key',
  'plain',
  'connectionString',
];

/** pino's paths know no "at any depth", so each depth is listed; deeper objects are not logged by this product. */
const redactedPaths = ['', '*.', '*.*.', '*.*.*.'].flatMap((prefix) =>
  sensitiveKeys.map((key) => `${prefix}${key}`),
);

/**
 * One JSON object a line. The redaction is the second net: secrets are `Secret` objects and print as
 * `[redacted]` by themselves; this one catches a careless plain string under a well-known name.
 */
export function createLogger(level: LogLevel = 'info', destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: redactedPaths, censor: '[redacted]' },
    serializers: { err: serializeError, error: serializeError },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** For code under test and for callers that do not care. */
export const silentLogger: Logger = pino({ level: 'silent' });

function serializeError(error: unknown): unknown {
  if (error instanceof CallreelError)
    return { ...error.toJSON(), stack: error.stack, cause: serializeCause(error) };
  return error instanceof Error ? plainError(error) : error;
}

/** Drivers hang whole clients on their errors, with addresses and worse: only what tells is kept. */
function plainError(error: Error): object {
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    stack: error.stack,
  };
}

function serializeCause({ cause }: CallreelError): string | undefined {
  if (cause === undefined) return undefined;
  // Of a host with several addresses; it has no message of its own.
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join('; ');
  return messageOf(cause);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
