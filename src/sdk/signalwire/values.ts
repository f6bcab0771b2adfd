/** A variable that the server puts in when it comes to the step: `${vars.name}`, or as a path `%{vars.name}`. */
export type Variable = `\${${string}}` | `%{${string}}`;

export type NumberOrVariable = number | Variable;
export type BooleanOrVariable = boolean | Variable;

/** What can be played: a file by its URL, `say:TEXT`, `silence:SECONDS`, `ring:SECONDS:COUNTRY`, or a variable. */
export type Sound =
  | `http://${string}`
  | `https://${string}`
  | `say:${string}`
  | `silence:${string}`
  | `ring:${string}`
  | Variable;

/** A text to speak. Line breaks become spaces: the vendor's schema allows none. */
export function say(text: string): Sound {
  return `say:${text.replace(/\s*[\r\n\u2028\u2029]\s*/g, ' ')}`;
}

export function silence(seconds: number): Sound {
  return `silence:${seconds}`;
}

/** The ringing tone of a country, once, or for as long as said. @param country two letters, as `us` */
export function ring(country: string, seconds?: number): Sound {
  return seconds === undefined ? `ring:${country}` : `ring:${seconds}:${country}`;
}

/** A file, where its URL is not known before the program runs. @throws TypeError where it is not http or https */
export function file(url: string | { href: string }): Sound {
  const text = typeof url === 'string' ? url : url.href;
  if (/^https?:\/\//.test(text)) return text as Sound;
  throw new TypeError(`what is played begins with http:// or https://, not with "${text.slice(0, 20)}"`);
}
