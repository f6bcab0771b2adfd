import { CallreelError } from '../errors.ts';

/** Every locale that Sinch's SDK types, as it writes them. `en-AB` and `en-WL` are Scottish and Welsh English. */
export const transcriptionLocales = [
  'af-ZA',
  'ar-AE',
  'ar-SA',
  'zh-CN',
  'zh-TW',
  'da-DK',
  'nl-NL',
  'en-AU',
  'en-GB',
  'en-IN',
  'en-IE',
  'en-NZ',
  'en-AB',
  'en-ZA',
  'en-US',
  'en-WL',
  'fr-FR',
  'fr-CA',
  'fa-IR',
  'gd_GB',
  'de-DE',
  'de-CH',
  'he-IL',
  'hi-IN',
  'id-ID',
  'ga-IE',
  'it-IT',
  'ja-JP',
  'ko-KR',
  'ms-MY',
  'pt-PT',
  'pt-BR',
  'ru-RU',
  'es-ES',
  'es-US',
  'sv-SE',
  'ta-IN',
  'te-IN',
  'th-TH',
  'tr-TR',
  'vi-VN',
] as const;

/** ISO 639-1 (or -3) code of a locale, in lower case; undefined where the text is no locale. */
export function languageOf(locale: string): string | undefined {
  return /^([a-z]{2,3})(?:[-_][a-z\d]{2,8}){0,3}$/i.exec(locale.trim())?.[1]?.toLowerCase();
}

const englishNames = new Intl.DisplayNames('en', { type: 'language' });

/** `es-US` as "Spanish (es-US)", for people. */
export function shownLocale(locale: string): string {
  const language = languageOf(locale);
  const name = language === undefined ? undefined : englishNames.of(language);
  return name === undefined || name === language ? locale.slice(0, 40) : `${name} (${locale})`;
}

/**
 * Why an engine that knows `languages` does not serve a locale; undefined where it does.
 * @param languages ISO 639-1 codes
 */
export function unservedReason(
  locale: string,
  languages: ReadonlySet<string>,
  engine: string,
): string | undefined {
  const language = languageOf(locale);
  if (language === undefined) return `${JSON.stringify(locale.slice(0, 40))} is not a locale, as en-US is`;
  if (languages.has(language)) return undefined;
  const known =
    languages.size > 8 ? `${languages.size} other languages` : [...languages].map(nameOf).join(', ');
  return `${shownLocale(locale)} is not served: ${engine} knows ${known}`;
}

/** What Whisper calls a language otherwise than `Intl` does. */
const whisperNames: Readonly<Record<string, string>> = {
  bengali: 'bn',
  maori: 'mi',
  myanmar: 'my',
  nynorsk: 'nn',
  tagalog: 'tl',
};

/** Whether a server's own name of the language it heard ("english", "en", "en-us", "eng") is that of the locale. */
export function isSameLanguage(heard: string, locale: string): boolean {
  const wanted = languageOf(locale);
  if (wanted === undefined) return false;
  const text = heard.trim().toLowerCase();
  const code = languageOf(text);
  if (code !== undefined) return canonical(code) === canonical(wanted);
  return whisperNames[text] === wanted || text === nameOf(wanted).toLowerCase();
}

/** `eng` as `en`. */
function canonical(language: string): string {
  return new Intl.Locale(language).language;
}

/** @throws CallreelError TRANSCRIPTION_LOCALE_UNSUPPORTED with that reason */
export function refuseUnserved(reason: string | undefined): void {
  if (reason !== undefined)
    throw new CallreelError('TRANSCRIPTION_LOCALE_UNSUPPORTED', reason, { where: 'locale' });
}

function nameOf(language: string): string {
  return englishNames.of(language) ?? language;
}
