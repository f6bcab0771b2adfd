import type { VoiceChoice } from './speech-engine.ts';

/** Safe as a part of a JSON document and as an argument of a program: it cannot begin an option. */
const voicePattern = /^[A-Za-z0-9][\w.+-]{0,99}$/;
const localePattern = /^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}$/;
const shownCharacters = 40;

/** For engines whose voices and languages are theirs to know: every name that is one goes through. */
export function chooseForeignVoice(
  ownVoice: string,
  voice: string | undefined,
  locale: string | undefined,
): VoiceChoice {
  const warnings: VoiceChoice['warnings'] = [];
  if (locale !== undefined && !localePattern.test(locale))
    warnings.push({ code: 'locale-unsupported', message: `${shown(locale)} is not a language tag` });
  if (voice === undefined || voicePattern.test(voice)) return { voice: voice ?? ownVoice, warnings };
  const message = `${shown(voice)} is not the name of a voice; ${ownVoice} speaks`;
  return { voice: ownVoice, warnings: [...warnings, { code: 'voice-unknown', message }] };
}

/** undefined for what is not a language tag (BCP 47). */
export function knownLocale(locale: string | undefined): string | undefined {
  return locale !== undefined && localePattern.test(locale) ? locale : undefined;
}

/** A text from a document, fit for a message. */
export function shown(text: string): string {
  return JSON.stringify(text.slice(0, shownCharacters));
}
