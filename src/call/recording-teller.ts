import type { ClientState } from '../database/schema.ts';
import type { JsonValue } from '../json-value.ts';

/** As the manifest's header kept it. */
export function clientStateOf({ clientState }: Record<string, unknown>): ClientState | undefined {
  if (typeof clientState === 'string') return clientState;
  const isObject = typeof clientState === 'object' && clientState !== null && !Array.isArray(clientState);
  return isObject ? (clientState as Record<string, unknown>) : undefined;
}

/** Who is told of a recording, and in which form; of its manifest's header. */
export interface Teller {
  statusUrl: string | undefined;
  statusDialect: string | undefined;
  dialectData: Record<string, JsonValue> | undefined;
}

export function tellerOfMeta({ statusUrl, statusDialect, dialectData }: Record<string, unknown>): Teller {
  const isObject = typeof dialectData === 'object' && dialectData !== null && !Array.isArray(dialectData);
  return {
    statusUrl: typeof statusUrl === 'string' ? statusUrl : undefined,
    statusDialect: typeof statusDialect === 'string' ? statusDialect : undefined,
    dialectData: isObject ? (dialectData as Record<string, JsonValue>) : undefined,
  };
}

/** As the row kept it. */
export function tellerOf(wishes: unknown): Teller {
  const { dialect, ...rest } = (wishes ?? {}) as Record<string, unknown>;
  return tellerOfMeta({ ...rest, statusDialect: dialect });
}
