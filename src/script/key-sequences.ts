import { CallreelError } from '../errors.ts';
import { maxDigits } from '../media/control.ts';

/** Longer than any number and any menu. */
const maxCharacters = 1024;

/**
 * The commands that press these keys: `0`-`9`, `*`, `#`, `A`-`D`, `w` for half a second and `W` for a second.
 * @throws CallreelError REQUEST_INVALID
 */
export function keySequences(digits: string): string[] {
  if (digits.length > maxCharacters || !/^[0-9*#A-DwW]*$/.test(digits))
    throw new CallreelError('REQUEST_INVALID', 'expected keys of 0-9 * # A-D, and w or W for a pause', {
      where: 'digits',
    });
  const symbols = digits.replaceAll('W', 'ww');
  const sequences: string[] = [];
  for (let at = 0; at < symbols.length; at += maxDigits) sequences.push(symbols.slice(at, at + maxDigits));
  return sequences;
}
