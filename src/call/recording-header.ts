import type { ClientState } from '../database/schema.ts';

/** What its starter wants to hear again, as the manifest's header kept it. */
export function clientStateOf({ clientState }: Record<string, unknown>): ClientState | undefined {
  if (typeof clientState === 'string') return clientState;
  const isObject = typeof clientState === 'object' && clientState !== null && !Array.isArray(clientState);
  return isObject ? (clientState as Record<string, unknown>) : undefined;
}

/** What it was started with, as far as its events need it; also of manifests from before all of them were kept there. */
export function wishesOf({ wishes, statusUrl }: Record<string, unknown>): object | undefined {
  if (typeof wishes === 'object' && wishes !== null) return wishes;
  return typeof statusUrl === 'string' ? { statusUrl } : undefined;
}
