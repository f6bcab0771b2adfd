import type { Prompt } from '../../script/verb.ts';
import type { Fields } from './fields.ts';
import { readPrompts } from './prompt-text.ts';

/** Of all that one instruction or menu speaks. */
export const maxSpokenCharacters = 600;
const maxPromptCharacters = 4000;

/** A field with `#tts[..]`, `#ssml[..]`, `#href[..]` or a URL, several divided by `;`. */
export function promptsIn(fields: Fields, name: string, locale: string | undefined): readonly Prompt[] {
  const text = fields.text(name, { max: maxPromptCharacters });
  return text === undefined ? [] : checkedPrompts(fields, name, text, locale);
}

export function checkedPrompts(
  fields: Fields,
  name: string,
  text: string,
  locale: string | undefined,
): readonly Prompt[] {
  const { prompts, unknown, spokenCharacters } = readPrompts(text, locale);
  if (spokenCharacters > maxSpokenCharacters)
    fields.refuse(name, `more than ${maxSpokenCharacters} characters are to be spoken`);
  for (const part of unknown)
    fields.warn(
      name,
      `"${part.slice(0, 60)}" is a file of the vendor's, and left out: give its URL, or #tts[text]`,
    );
  return prompts;
}
