import type { Prompt } from '../../script/verb.ts';
import { voiceOf } from './voices.ts';

/** What a prompt's text holds that can be played, and what of it can't. */
export interface ReadPrompts {
  prompts: readonly Prompt[];
  /** Parts that are the vendor's own files. */
  unknown: readonly string[];
  /** Of all that is spoken. */
  spokenCharacters: number;
}

const maxPauseMs = 10_000;
const defaultPauseMs = 1000;
const strengthsMs: Readonly<Record<string, number>> = {
  none: 0,
  'x-weak': 100,
  weak: 250,
  medium: 500,
  strong: 750,
  'x-strong': 1000,
};
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** `#tts[Hello];#ssml[<speak>..</speak>];#href[https://..];https://..`, one behind the other. */
export function readPrompts(text: string, locale: string | undefined): ReadPrompts {
  const prompts: Prompt[] = [];
  const unknown: string[] = [];
  let spokenCharacters = 0;
  for (const part of partsOf(text)) {
    const [, kind = '', content = ''] = /^#(tts|ssml|href)\[(.*)\]$/is.exec(part) ?? [];
    if (kind.toLowerCase() === 'tts' || kind.toLowerCase() === 'ssml') {
      spokenCharacters += content.length;
      prompts.push(
        ...(kind.toLowerCase() === 'tts' ? spoken(content, locale) : ssmlPrompts(content, locale)),
      );
      continue;
    }
    const url = kind === '' ? part : content.trim();
    if (/^https?:\/\//i.test(url) && URL.canParse(url)) prompts.push({ kind: 'url', url });
    else unknown.push(part);
  }
  return { prompts, unknown, spokenCharacters };
}

export function spoken(text: string, locale: string | undefined): Prompt[] {
  return text.trim() === '' ? [] : [{ kind: 'text', text: text.trim(), ...voiceOf(locale) }];
}

/** Divided by `;`, but not within `#..[..]`. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  let begin = 0;
  for (let at = 0; at < text.length; ) {
    if (text[at] === ';') {
      parts.push(text.slice(begin, at));
      begin = ++at;
    } else if (/^#(?:tts|ssml|href)\[/i.test(text.slice(at, at + 6))) at = endOfBrackets(text, at);
    else at++;
  }
  parts.push(text.slice(begin));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** Behind the bracket that ends it: the one before a `;` or the end. */
function endOfBrackets(text: string, from: number): number {
  const end = /\]\s*(?=;|$)/g;
  end.lastIndex = from;
  return end.test(text) ? end.lastIndex : text.length;
}

/** Our engines read no SSML: its words and its pauses are kept. */
function ssmlPrompts(ssml: string, locale: string | undefined): Prompt[] {
  const prompts: Prompt[] = [];
  let words = '';
  const say = () => {
    prompts.push(...spoken(decoded(words).replaceAll(/\s+/g, ' '), locale));
    words = '';
  };
  for (const piece of ssml.split(/(<[^<>]*>)/)) {
    if (!piece.startsWith('<')) words += piece;
    else if (/^<break\b/i.test(piece)) {
      say();
      const durationMs = pauseOf(piece);
      if (durationMs > 0) prompts.push({ kind: 'silence', durationMs });
    } else words += ' ';
  }
  say();
  return prompts;
}

function pauseOf(tag: string): number {
  const [, amount, unit] = /\btime\s*=\s*\\?["'](\d{1,6}(?:\.\d{1,3})?)\s*(ms|s)\\?["']/i.exec(tag) ?? [];
  if (amount !== undefined)
    return Math.min(Number(amount) * (unit?.toLowerCase() === 's' ? 1000 : 1), maxPauseMs);
  const strength = /\bstrength\s*=\s*\\?["']([\w-]+)/i.exec(tag)?.[1]?.toLowerCase() ?? '';
  return strengthsMs[strength] ?? defaultPauseMs;
}

function decoded(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => entities[name] ?? '');
}
