/** Texts as lists of words that can be compared: one spelling for what sounds the same. */

const ones = (
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
  'eighteen nineteen'
).split(' ');
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

/** Written in two ways by those who write prompts and by recognisers. */
const spellings: readonly (readonly [RegExp, string])[] = [
  [/\*/g, ' star '],
  [/#/g, ' pound '],
  [/\bre-(?=[a-z])/g, 're'],
  [/\bvoice mail\b/g, 'voicemail'],
  [/\bmail box\b/g, 'mailbox'],
  [/\btouch[- ]?tone\b/g, 'touchtone'],
  [/\bkey pad\b/g, 'keypad'],
  [/\bkey words\b/g, 'keywords'],
  [/\bon line\b/g, 'online'],
  [/\bok\b/g, 'okay'],
  [/\bopen[- ]source\b/g, 'open source'],
];

/** Lower case, without punctuation, numbers in words, digit by digit from four digits on. */
export function normalizedWords(text: string): string[] {
  let plain = text.toLowerCase().replaceAll(/[‘’]/g, "'");
  for (const [written, spelling] of spellings) plain = plain.replaceAll(written, spelling);
  return plain
    .replaceAll(/(\d),(?=\d{3}\b)/g, '$1')
    .replaceAll(/(\d)\.(?=\d)/g, '$1 point ')
    .replaceAll(/\b([a-z])\.(?=[a-z]\b)/g, '$1')
    .replaceAll(/\d+/g, (digits) => ` ${numberInWords(digits)} `)
    .replaceAll(/[^\p{L}\p{N}']+/gu, ' ')
    .replaceAll(/(?<![\p{L}\p{N}])'+|'+(?![\p{L}\p{N}])/gu, ' ')
    .split(/\s+/)
    .filter(Boolean);
}

function numberInWords(digits: string): string {
  const value = Number(digits);
  const isLong = digits.length > 3 || (digits.length > 1 && digits.startsWith('0'));
  if (isLong) return [...digits].map((digit) => ones[Number(digit)]).join(' ');
  if (value < 20) return ones[value]!;
  if (value < 100) return `${tens[Math.floor(value / 10) - 2]} ${value % 10 ? ones[value % 10] : ''}`;
  const rest = value % 100;
  return `${ones[Math.floor(value / 100)]} hundred ${rest ? numberInWords(String(rest)) : ''}`;
}

/** What a recogniser did to one word: `said` missing where it was added, `heard` where it was left out. */
export interface WordError {
  said?: string;
  heard?: string;
}

/** The fewest substitutions, insertions and deletions that lead from one to the other (Levenshtein). */
export function wordErrors(said: readonly string[], heard: readonly string[]): WordError[] {
  const width = heard.length + 1;
  const cost = new Uint32Array((said.length + 1) * width);
  for (let j = 0; j < width; j++) cost[j] = j;
  for (let i = 1; i <= said.length; i++) {
    cost[i * width] = i;
    for (let j = 1; j < width; j++)
      cost[i * width + j] = Math.min(
        cost[(i - 1) * width + j - 1]! + Number(said[i - 1] !== heard[j - 1]),
        cost[(i - 1) * width + j]! + 1,
        cost[i * width + j - 1]! + 1,
      );
  }
  const errors: WordError[] = [];
  let [i, j] = [said.length, heard.length];
  while (i > 0 || j > 0) {
    const here = cost[i * width + j]!;
    if (i > 0 && j > 0 && here === cost[(i - 1) * width + j - 1]! + Number(said[i - 1] !== heard[j - 1])) {
      if (said[i - 1] !== heard[j - 1]) errors.push({ said: said[i - 1]!, heard: heard[j - 1]! });
      i--;
      j--;
    } else if (i > 0 && here === cost[(i - 1) * width + j]! + 1) {
      errors.push({ said: said[--i]! });
    } else {
      errors.push({ heard: heard[--j]! });
    }
  }
  return errors.reverse();
}
