/** Seconds that are measured at once; they begin at a place. */
export const excerptSeconds = 10;
/** From the second minute on places are a minute apart, from the tenth on two. */
const firstPlaces = [0, 45, 60];
const minuteSeconds = 60;
const denseMinutes = 10;
/** So far behind the last one the next begins where somebody was not heard enough. */
const leastSeconds = 45;
/** Where everybody was: behind the first one, */
const heardFirstSeconds = 60;
/** and behind others, by the time that has passed. */
const heardSeconds = { before: 120, fromTenMinutesOn: 240 };

/** Where of a recording something may be measured: in seconds from its beginning, one place behind the other. */
export function placeAt(index: number): number {
  const minute = index - firstPlaces.length + 2;
  const sparse = Math.max(0, minute - denseMinutes);
  return firstPlaces[index] ?? (minute + sparse) * minuteSeconds;
}

/**
 * Whether it is measured at a place: at 0, 45, 120, 180 s and so on as long as somebody who is there was not heard
 * enough, and half as often where everybody was, at 0, 60, 180, 300 s.
 * @param lastPlace where it was measured last; undefined where it was not
 */
export function isPlaceOfExcerpt(place: number, lastPlace: number | undefined, isHeard: boolean): boolean {
  if (lastPlace === undefined) return true;
  return place - lastPlace >= (isHeard ? leastHeardSeconds(place, lastPlace) : leastSeconds);
}

/** The next place behind one where it was measured. */
export function placeBehind(lastPlace: number, isHeard: boolean): number {
  for (let index = 0; ; index++) {
    const place = placeAt(index);
    if (place > lastPlace && isPlaceOfExcerpt(place, lastPlace, isHeard)) return place;
  }
}

function leastHeardSeconds(place: number, lastPlace: number): number {
  if (lastPlace === 0) return heardFirstSeconds;
  return place < denseMinutes * minuteSeconds ? heardSeconds.before : heardSeconds.fromTenMinutesOn;
}
