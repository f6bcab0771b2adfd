/** A text as the embedded engine can speak it. */
export interface SpeakableText {
  /** ASCII; empty when there is nothing to say. */
  text: string;
  /** True when letters or signs had to be left out. */
  isIncomplete: boolean;
}

/** Letters that do not come apart into a base letter and marks. */
const spelled: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'Ae',
  œ: 'oe',
  Œ: 'Oe',
  ø: 'o',
  Ø: 'O',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '–': ', ',
  '—': ', ',
  '€': ' euros ',
  '£': ' pounds ',
  '°': ' degrees ',
};

/** The engine's memory grows with a sentence (a gigabyte at twenty minutes), its time with the square of a word. */
const maxWordCharacters = 60;
const maxPieceCharacters = 300;
/** From here on the end of a sentence or clause ends the piece. */
const goodPieceCharacters = 150;

/** Said in place of a text of which nothing can be spoken: a caller must not hear silence. */
const unspeakableNotice = 'This message cannot be spoken.';

/** Pieces are divided by blank lines, at which the engine begins a new utterance. */
export function speakableText(text: string): SpeakableText {
  let isIncomplete = false;
  const ascii = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]/gu, (character) => {
      const known = spelled[character];
      if (known === undefined && /[^\s\p{C}\p{P}]/u.test(character)) isIncomplete = true;
      return known ?? ' ';
    });
  if (/[A-Za-z0-9]/.test(ascii)) return { text: inPieces(ascii), isIncomplete };
  const hasContent = isIncomplete || /[^\s\p{C}\p{P}]/u.test(ascii);
  return { text: hasContent ? unspeakableNotice : '', isIncomplete: hasContent };
}

function inPieces(text: string): string {
  const pieces: string[] = [];
  let piece = '';
  for (const word of words(text)) {
    if (piece.length + word.length > maxPieceCharacters) {
      pieces.push(piece);
      piece = '';
    }
    piece += piece === '' ? word : ` ${word}`;
    if (piece.length >= goodPieceCharacters && /[.,;:?!]$/.test(word)) {
      pieces.push(piece);
      piece = '';
    }
  }
  pieces.push(piece);
  return pieces.filter((part) => part !== '').join('\n\n');
}

function words(text: string): string[] {
  const parts = new RegExp(`.{1,${maxWordCharacters}}`, 'g');
  return text.split(/\s+/).flatMap((word) => word.match(parts) ?? []);
}
