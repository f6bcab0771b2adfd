/** A text with SDP in it as it may be logged: without keys. */
export function redactKeys(text: string): string {
  return text
    .replaceAll(/inline:[^\s;|]+/gi, 'inline:[redacted]')
    .replaceAll(/(a=ice-pwd:)\S+/gi, '$1[redacted]');
}
