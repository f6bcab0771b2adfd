/** What an answer's headers allow to keep it for (RFC 9111), in the little that prompts need. */
export interface Freshness {
  keeps: boolean;
  /** How long it serves without asking again. */
  maxAgeMs: number;
}

/** However long a server allows: a prompt that was replaced is heard within the hour. */
const longestMs = 3_600_000;

/** @param etag empty when there is none: what can never be asked about again is not worth keeping once stale */
export function freshness(cacheControl: string, etag: string): Freshness {
  const directives = cacheControl
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim());
  const maxAge = directives.map((directive) => /^max-age="?(\d{1,9})"?$/.exec(directive)?.[1]).find(Boolean);
  const mustAsk = directives.includes('no-cache') || maxAge === undefined;
  const maxAgeMs = mustAsk ? 0 : Math.min(longestMs, Number(maxAge) * 1000);
  return { keeps: !directives.includes('no-store') && (maxAgeMs > 0 || etag !== ''), maxAgeMs };
}
