import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PauseSpeech } from './pause-speech.ts';

const packet = (slot: number, delayMs = 0, rtpOffset = 0) => ({
  ssrc: 7,
  clockRateHz: 8000,
  rtpTime: (0xffff_ff00 + slot * 160 + rtpOffset) >>> 0,
  arrivalUs: slot * 20_000 + delayMs * 1000,
});

/** Ten slots of a pause that ends with the last of them. */
function paused(): PauseSpeech {
  const speech = new PauseSpeech();
  for (const slot of [0, 1, 2, 3, 4, 5, 6]) speech.note(packet(slot, slot % 2 ? 30 : 0));
  speech.end(200_000);
  return speech;
}

test('a packet that was held up is of the pause, the next one of the time behind it', () => {
  const speech = paused();
  assert.equal(speech.has(packet(8, 300)), true);
  assert.equal(speech.has(packet(9, 21)), true);
  assert.equal(speech.has(packet(10)), false);
  assert.equal(speech.has(packet(11, 30)), false);
});

test('a sender whose clock stood still is heard at once, and so is another stream', () => {
  const frozen = -160 * 500;
  assert.equal(paused().has(packet(11, 0, frozen)), false);
  assert.equal(paused().has({ ...packet(8, 300), ssrc: 8 }), false);
  const speech = paused();
  speech.note(packet(120, 0, frozen));
  speech.end(2_500_000);
  assert.equal(speech.has(packet(126, 0, frozen)), false);
  assert.equal(speech.has(packet(122, 100, frozen)), true);
});

test('what comes a second after the pause is not judged', () => {
  const brieflyFrozen = -160 * 25;
  assert.equal(paused().has(packet(20, 0, brieflyFrozen)), true);
  assert.equal(paused().has(packet(61, 0, brieflyFrozen)), false);
});

test('where nothing came in the pause nothing is known', () => {
  const speech = new PauseSpeech();
  speech.end(200_000);
  assert.equal(speech.has(packet(1, 300)), false);
});
