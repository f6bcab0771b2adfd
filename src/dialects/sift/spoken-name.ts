/** What people say in front of their name, and behind it. */
const before =
  /^(?:(?:uh|um|er|well|yes|yeah|hi|hello|hey|so|okay|ok|oh|sure|this is|my name is|my name's|the name is|the name's|name's|it is|it's|i am|i'm|speaking is)(?: |$))+/;
const behind = /(?:(?:^| )(?:here|speaking|please|thanks|thank you))+$/;
const maxWords = 4;

/**
 * A name, as the vendor gives it: in lower case and without punctuation ("steven smith").
 * @returns an empty text for what is none
 */
export function spokenName(text: string): string {
  const plain = text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('\u2019', "'")
    .replace(/[^\p{L}\p{M}' -]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const name = plain
    .replace(before, '')
    .replace(behind, '')
    .replace(/^[' -]+|[' -]+$/g, '');
  return name.split(' ').length > maxWords ? '' : name;
}
