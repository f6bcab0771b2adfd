/** Nobody speaks faster than so many characters a second. */
const maxCharactersPerSecond = 28;
const maxUnitCharacters = 12;
/** More repetitions of so short a unit are a recogniser that goes round in a circle. */
const maxRepetitions = 7;

export type Doubt = 'empty' | 'too-fast' | 'repeats';

/** Why a recogniser's text cannot be what was said in so many seconds of audio; undefined where it can. */
export function doubtAbout(text: string, seconds: number): Doubt | undefined {
  const spoken = text.trim();
  // Punctuation alone is nothing either.
  if (!/[\p{L}\p{N}]/u.test(spoken)) return 'empty';
  if (spoken.length > maxCharactersPerSecond * seconds) return 'too-fast';
  return repeats(spoken) ? 'repeats' : undefined;
}

function repeats(text: string): boolean {
  for (let unit = 1; unit <= maxUnitCharacters; unit++) {
    let matching = 0;
    for (let i = unit; i < text.length; i++) {
      matching = text[i] === text[i - unit] ? matching + 1 : 0;
      if (matching >= unit * maxRepetitions) return true;
    }
  }
  return false;
}
