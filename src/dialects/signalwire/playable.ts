import type { Prompt } from '../../script/verb.ts';
import type { Json } from './json.ts';
import {
  ineffective,
  invalid,
  isHttpUrl,
  type Kind,
  number,
  optional,
  shown,
  text,
  withDefault,
} from './parameters.ts';

const maxSilenceSeconds = 3600;
/** How long the tone sounds once, in the countries whose cadence is not one second. */
const singleRingMs: Readonly<Record<string, number>> = {
  us: 2000,
  ca: 2000,
  gb: 1000,
  au: 1000,
  fr: 1500,
  jp: 1000,
};

/** What can be played: `say:`, `silence:`, `ring:`, http and https. Undefined for nothing at all. */
export const playable: Kind<Prompt | undefined> = {
  read(value, path) {
    const playable = typeof value === 'string' ? value.trim() : undefined;
    if (playable === '') return undefined;
    const prompt = playable === undefined ? undefined : promptOf(playable);
    const expected = 'say:TEXT, silence:SECONDS, ring:[SECONDS:]COUNTRY or an http(s) URL is expected';
    return prompt === undefined ? invalid(`${expected}, not ${shown(value)}`, path) : (prompt ?? undefined);
  },
};

/** Null: what is said is nothing. */
function promptOf(playable: string): Prompt | null | undefined {
  const say = /^say:\s*(.*)$/is.exec(playable);
  if (say) return say[1] === '' ? null : { kind: 'text', text: say[1]! };
  const silence = /^silence:\s*(\d+(?:\.\d*)?|\.\d+)$/i.exec(playable);
  if (silence)
    return Number(silence[1]) > maxSilenceSeconds
      ? undefined
      : { kind: 'silence', durationMs: Number(silence[1]) * 1000 };
  const ring = /^ring:\s*(?:(\d+(?:\.\d*)?|\.\d+):\s*)?([a-z]{2})$/i.exec(playable);
  if (ring) return ringOf(ring[2]!.toLowerCase(), ring[1]);
  return isHttpUrl(playable) && playable.length <= 2000 ? { kind: 'url', url: playable } : undefined;
}

function ringOf(code: string, seconds: string | undefined): Prompt | undefined {
  const country = code === 'uk' ? 'gb' : code;
  if (Number(seconds) > maxSilenceSeconds) return undefined;
  return {
    kind: 'ring',
    country,
    durationMs: seconds === undefined ? (singleRingMs[country] ?? 1000) : Number(seconds) * 1000,
  };
}

/** How texts are spoken; without them, as the variables of the same names say. */
export const voiceParameters = {
  say_voice: optional(text({ maxLength: 200 })),
  say_language: optional(text({ maxLength: 35 })),
  say_gender: ineffective('the voice decides'),
};

export const volume = withDefault(number({ min: -40, max: 40 }), 0);

export interface Voice {
  say_voice: string | undefined;
  say_language: string | undefined;
}

export interface VoiceReader {
  variables: { named(name: string): Json | undefined };
}

/** The prompts with their voice; what is nothing is left out. */
export function spoken(
  prompts: readonly (Prompt | undefined)[],
  voice: Voice,
  { variables }: VoiceReader,
): Prompt[] {
  const setting = (name: string): string | undefined => {
    const value = variables.named(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const name = voice.say_voice || setting('say_voice');
  const locale = voice.say_language || setting('say_language');
  return prompts.flatMap((prompt): Prompt[] => {
    if (prompt?.kind !== 'text') return prompt ? [prompt] : [];
    return [{ ...prompt, ...(name && { voice: name }), ...(locale && { locale }) }];
  });
}
