/** A text with SDP in it as it may be logged: without keys. */
export function redactKeys(text: string): string {
  return text
    .replaceAll(/inline:[ \t]*[^\s;|]+/gi, 'inline:[redacted]')
    .replaceAll(/^(k=|a=key-mgmt:)\S.*$/gim, '$1[redacted]')
    .replaceAll(/(a=ice-pwd:)\S+/gi, '$1[redacted]');
}
