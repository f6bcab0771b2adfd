const keys = /^[0-9*#A-D]$/i;

/** RFC 4733's numbers, which some phones write instead of the keys. */
const namedKeys: Readonly<Record<string, string>> = {
  '10': '*',
  '11': '#',
  '12': 'A',
  '13': 'B',
  '14': 'C',
  '15': 'D',
};

/**
 * The key in an INFO body: `application/dtmf-relay` (`Signal=5`, as Cisco's phones and most others send it) or
 * `application/dtmf` (the bare key). Undefined for anything else.
 */
export function infoDigit(contentType: string, body: string): string | undefined {
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/dtmf-relay')
    return key(/^[ \t]*signal[ \t]*=[ \t]*(\S{1,2})[ \t]*$/im.exec(body)?.[1]);
  if (type === 'application/dtmf') return key(body.trim());
  return undefined;
}

function key(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (keys.test(text)) return text.toUpperCase();
  return namedKeys[text];
}
