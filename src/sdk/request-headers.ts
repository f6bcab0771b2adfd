/** Headers of a request as frameworks give them: those of Node, Express and Fastify, or a `Headers` object. */
export type RequestHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request as it came, for its signature is over every byte: the body before anything parsed it. */
export interface SignedRequest {
  headers: RequestHeaders;
  body: string | Uint8Array;
}

/** @param name in lower case */
export function headerOf(headers: RequestHeaders, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined;
  const [, value] = Object.entries(headers).find(([key]) => key.toLowerCase() === name) ?? [];
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.join(', ') : undefined;
}
