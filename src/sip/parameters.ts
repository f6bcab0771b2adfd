import { endOfQuoted, isToken, skipWhitespace, unquote } from './scan.ts';

/** Lower-case name -> value as written (quotes kept); the empty string for a parameter without value. */
export type Parameters = ReadonlyMap<string, string>;

const none: Parameters = new Map();
const maxParameters = 64;

/**
 * Reads `;name=value` pairs from `start` to the end. White space around `;` and `=` is allowed (RFC 3261 section
 * 25.1, SEMI and EQUAL). Of a repeated name the first one counts.
 * @returns undefined where the text is not a parameter list
 */
export function parseParameters(text: string, start: number): Parameters | undefined {
  let at = skipWhitespace(text, start);
  if (at >= text.length) return none;
  const parameters = new Map<string, string>();
  while (at < text.length) {
    if (text.charCodeAt(at) !== 0x3b || parameters.size >= maxParameters) return undefined;
    const end = endOfParameter(text, at + 1);
    if (end < 0 || !addParameter(parameters, text.slice(at + 1, end))) return undefined;
    at = end;
  }
  return parameters;
}

function endOfParameter(text: string, start: number): number {
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x3b) return i;
    if (code === 0x22) {
      const end = endOfQuoted(text, i);
      if (end < 0) return -1;
      i = end - 1;
    }
  }
  return text.length;
}

function addParameter(parameters: Map<string, string>, pair: string): boolean {
  const equals = pair.indexOf('=');
  const name = (equals < 0 ? pair : pair.slice(0, equals)).trim().toLowerCase();
  const value = equals < 0 ? '' : pair.slice(equals + 1).trim();
  if (!isToken(name)) return false;
  if (!value.startsWith('"') && /[\s,<>]/.test(value)) return false;
  if (!parameters.has(name)) parameters.set(name, value);
  return true;
}

/** The value without quotes; undefined where the parameter is absent. */
export function parameterText(parameters: Parameters, name: string): string | undefined {
  const value = parameters.get(name);
  return value === undefined ? undefined : unquote(value);
}

export function formatParameters(parameters: Parameters): string {
  let text = '';
  for (const [name, value] of parameters) text += value === '' ? `;${name}` : `;${name}=${value}`;
  return text;
}
