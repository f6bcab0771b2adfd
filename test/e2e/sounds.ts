import assert from 'node:assert/strict';
import { activeSpan } from '../../src/testkit/active-span.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { findPayloadRun } from '../../src/testkit/sample-run.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import { eventually } from './eventually.ts';
import { withoutHoles } from './heard.ts';
import { isHeard } from './verb-stage.ts';

const rateHz = 8000;
/** What a party is told with `beep`. */
export const beepHz = 1400;
const patienceMs = 30_000;

/** Anywhere, for at least a tenth of a second. */
export function hasTone(samples: Int16Array, frequencyHz: number, hz = rateHz): boolean {
  const window = hz / 10;
  for (let at = 0; at + window <= samples.length; at += window / 2)
    if (toneLevelDbov(samples, hz, frequencyHz, { start: at, end: at + window }) > -30) return true;
  return false;
}

/** The part of what a phone heard that is no silence. */
export function heardBy(call: PhoneCall): Int16Array {
  const samples = call.received();
  const from = samples.findIndex((sample) => sample !== 0);
  return from < 0
    ? new Int16Array()
    : samples.subarray(from, samples.findLastIndex((sample) => sample !== 0) + 1);
}

const pieceSamples = 400;
/** Where a hole lies beside a silence of the sound itself the two can not be told apart. */
const mostShareMissing = 0.05;
/** Of a short sound that share is less than what one hole may spoil. */
const fewMissing = 3;
/** Of so many pieces at its beginning, and at its end, one is there: nothing was cut off. */
const edgePieces = 3;

/** All of it is there, sample by sample, in its order, but for holes that a busy machine makes: none is lost for them. */
export function assertSounds(samples: Int16Array, sound: Int16Array, label = 'it'): void {
  const heard = withoutHoles(samples);
  const voice = withoutHoles(sound);
  assert.ok(voice.length >= pieceSamples, `${label}: there is nothing to be heard`);
  if (findPayloadRun(heard, voice) >= 0) return;
  let from = 0;
  const found: number[] = [];
  const pieces = Math.floor(voice.length / pieceSamples);
  for (let piece = 0; piece < pieces; piece++) {
    const wanted = voice.subarray(piece * pieceSamples, (piece + 1) * pieceSamples);
    const start = findPayloadRun(heard.subarray(from), wanted);
    if (start < 0) continue;
    found.push(piece);
    from += start + pieceSamples;
  }
  const mayMiss = Math.max(fewMissing, mostShareMissing * pieces);
  assert.ok(found.length >= pieces - mayMiss, `${label}: ${found.length} of ${pieces} pieces are there`);
  assert.ok(found[0]! < edgePieces, `${label}: it begins with piece ${found[0]}`);
  assert.ok(
    found.at(-1)! >= pieces - edgePieces,
    `${label}: it ends with piece ${found.at(-1)} of ${pieces}`,
  );
}

/**
 * Behind the last sound lies the silence that ended it: to 10 ms where the phone and the server are punctual
 * (`silence-timer.test.ts`), never less, and more where a busy machine held up what was said.
 */
export function assertEndSilence(samples: Int16Array, seconds: number): void {
  const silence = samples.length - activeSpan(samples).end;
  const late = silence - seconds * rateHz;
  assert.ok(late >= -160 && late < rateHz, `${silence} samples behind the last sound`);
}

/** Waits until the phone heard the sound. */
export async function hears(call: PhoneCall, sound: Int16Array): Promise<void> {
  await eventually('it is heard', () => isHeard(call.received(), sound) || undefined, patienceMs);
}

export function assertHeardBy(call: PhoneCall, sound: Int16Array): void {
  assert.ok(isHeard(call.received(), sound), 'it was not heard');
}
