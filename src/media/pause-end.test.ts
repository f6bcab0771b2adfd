import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PauseEnd } from './pause-end.ts';

const slotUs = 20_000;
const packet = (slot: number, delayMs = 0, ssrc = 7) => ({
  ...({ codec: 'PCMU', clockRateHz: 8000, ssrc, rtpTime: slot * 160 } as const),
  arrivalUs: slot * slotUs + delayMs * 1000,
  payload: new Uint8Array(160),
});

/** A stream through a pause that ended with slot 10. */
function ended(): PauseEnd {
  const end = new PauseEnd();
  for (let slot = 0; slot < 10; slot++) assert.equal(end.hidesAudio(packet(slot)), false);
  end.set(10 * slotUs);
  return end;
}

test('what was said before it is hidden, in whatever order it comes', () => {
  const end = ended();
  assert.equal(end.hidesAudio(packet(10)), false);
  assert.equal(end.hidesAudio(packet(8, 60)), true);
  assert.equal(end.hidesAudio(packet(11, 30)), false);
  assert.equal(end.hidesAudio(packet(9, 11_000)), true);
});

test('a packet that was kept back since is hidden', () => {
  const end = ended();
  assert.equal(end.hidesAudio({ ...packet(9, 0, 8), arrivalUs: 9 * slotUs }), true);
});

test('a stream that nobody knows is hidden until it goes its own pace, and after a second is what it is', () => {
  const end = ended();
  assert.equal(end.hidesAudio(packet(11, 0, 8)), true);
  assert.equal(end.hidesAudio(packet(12, 0, 8)), true);
  assert.equal(end.hidesAudio(packet(13, 0, 8)), false);
  assert.equal(end.hidesAudio(packet(61, 0, 9)), false);
});

test('keys and reports that name a time before it are hidden', () => {
  const end = ended();
  assert.equal(end.hides(12 * slotUs, 7, 9 * 160, 8000), true);
  assert.equal(end.hides(12 * slotUs, 7, 11 * 160, 8000), false);
  assert.equal(end.hides(12 * slotUs, 8, 9 * 160, 8000), false, 'of a stream that nobody knows');
  assert.equal(end.saidAt(12 * slotUs, 7, 9 * 160, 8000), 9 * slotUs);
  assert.equal(end.saidAt(12 * slotUs, 7, 20 * 160, 8000), 12 * slotUs, 'never after it came');
});

test('without a pause nothing is hidden', () => {
  const end = new PauseEnd();
  assert.equal(end.hidesAudio(packet(0)), false);
  assert.equal(end.hidesAudio(packet(1, 900)), false);
  assert.equal(end.hides(slotUs, 7, 0), false);
});

test('a packet of Opus that holds the one before once more is hidden where that was said before', () => {
  const end = new PauseEnd();
  // SILK of 20 ms, mono, in one frame; the second bit of it: redundancy.
  const opus = (slot: number, first: number) => ({
    ...packet(slot),
    ...({ codec: 'OPUS', clockRateHz: 48_000, rtpTime: slot * 960 } as const),
    payload: Uint8Array.of(0x48, first, 1, 2),
  });
  for (let slot = 0; slot < 10; slot++) end.hidesAudio(opus(slot, 0xc0));
  end.set(10 * slotUs);
  assert.equal(end.hidesAudio(opus(10, 0xc0)), true);
  assert.equal(end.hidesAudio(opus(11, 0xc0)), false);
  end.set(12 * slotUs);
  assert.equal(end.hidesAudio(opus(12, 0x80)), false);
});
