/** [from, to) of a recording, in seconds from its beginning. */
export interface Excerpt {
  fromSeconds: number;
  toSeconds: number;
}

export const excerptSeconds = 10;
/** Two in the first minute, one in each from the third on, from the tenth on in every other. */
const firstSeconds = [0, 45];
const minuteSeconds = 60;
const denseMinutes = 10;

/** What of a recording is looked at, one after the other: an hour costs little more than ten minutes. */
export function excerptAt(index: number): Excerpt {
  const minute = index - firstSeconds.length + 2;
  const sparse = Math.max(0, minute - denseMinutes);
  const fromSeconds = firstSeconds[index] ?? (minute + sparse) * minuteSeconds;
  return { fromSeconds, toSeconds: fromSeconds + excerptSeconds };
}
