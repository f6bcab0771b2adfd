/** Small scanners that the header parsers share. They look at each character once and allocate nothing but results. */

const tokenCharacters = new Uint8Array(128);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")
  tokenCharacters[character.charCodeAt(0)] = 1;

/** RFC 3261 section 25.1, `token`. */
export function isToken(text: string): boolean {
  if (text.length === 0) return false;
  for (let i = 0; i < text.length; i++) if (tokenCharacters[text.charCodeAt(i)] !== 1) return false;
  return true;
}

export function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Index of the first character at or after `index` that is neither space nor tab. */
export function skipWhitespace(text: string, index: number): number {
  let at = index;
  while (at < text.length && isWhitespace(text.charCodeAt(at))) at++;
  return at;
}

/** Digits only; undefined for anything else or for more than `limit`. */
export function parseDecimal(text: string, limit: number): number | undefined {
  if (text.length === 0 || text.length > 15) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= limit ? value : undefined;
}

/** Index just after the quoted string that opens at `start`, or -1 when it never closes. */
export function endOfQuoted(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i + 1;
  }
  return -1;
}

/** Index of `separator` outside quoted strings and angle brackets at or after `start`, or -1. */
export function indexOutside(text: string, separator: string, start: number): number {
  const wanted = separator.charCodeAt(0);
  let inBrackets = false;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === wanted && !inBrackets) return i;
    if (code === 0x3c) inBrackets = true;
    else if (code === 0x3e) inBrackets = false;
    else if (code === 0x22 && !inBrackets) {
      const end = endOfQuoted(text, i);
      if (end < 0) return -1;
      i = end - 1;
    }
  }
  return -1;
}

/** The values of a comma-separated header, trimmed, empty ones left out. */
export function splitValues(text: string): string[] {
  const values: string[] = [];
  let start = 0;
  while (start <= text.length) {
    const comma = indexOutside(text, ',', start);
    const end = comma < 0 ? text.length : comma;
    const value = text.slice(start, end).trim();
    if (value !== '') values.push(value);
    start = end + 1;
  }
  return values;
}

/** The text of a quoted string, or the text itself where it is not quoted. */
export function unquote(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  const inner = text.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\(.)/gs, '$1') : inner;
}

export function quote(text: string): string {
  return `"${text.replace(/[\r\n]/g, ' ').replace(/[\\"]/g, '\\$&')}"`;
}
