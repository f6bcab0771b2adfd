/**
 * A URL that wants a conversation's events, as it is kept with the conversation: the URL alone, told in the dialect of
 * the conversation, or behind the name of another dialect.
 */
export function eventCallbackIn(dialect: string, url: string): string {
  return `${dialect} ${url}`;
}

export function parseEventCallback(kept: string): { url: string; dialect: string | undefined } {
  const [, dialect, url] = /^([a-z][a-z-]*) (.*)$/s.exec(kept) ?? [];
  return url === undefined ? { url: kept, dialect: undefined } : { url, dialect };
}
