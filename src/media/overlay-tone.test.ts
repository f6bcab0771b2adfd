import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ToneGenerator } from '../audio/tone.ts';
import { audioRatesHz, slotSamplesAt, slotUs } from './codec-table.ts';
import { OverlayTone, type OverlayToneKind } from './overlay-tone.ts';

/** What it adds to so many slots of silence. */
function heard(tone: OverlayTone, slots: number, rateHz: (typeof audioRatesHz)[number] = 8000): Int16Array {
  const samples = slotSamplesAt(rateHz);
  const all = new Int16Array(slots * samples);
  for (let slot = 0; slot < slots; slot++)
    tone.addTo(all.subarray(slot * samples, (slot + 1) * samples), rateHz, slot * slotUs);
  return all;
}

const loudSlots = (audio: Int16Array): boolean[] =>
  Array.from({ length: audio.length / 160 }, (_, slot) =>
    audio.subarray(slot * 160, slot * 160 + 160).some((sample) => sample !== 0),
  );

describe('OverlayTone', () => {
  for (const rateHz of audioRatesHz)
    for (const [kind, lengthMs] of [
      ['beep', 400],
      ['warning', 200],
    ] as const)
      it(`a ${kind} at ${rateHz} Hz is ${lengthMs} ms of 1400 Hz at -20 dBov, and over then`, () => {
        const tone = new OverlayTone();
        let overUs: number | undefined = -1;
        tone.start(kind, (atUs) => {
          overUs = atUs;
        });
        const expected = new Int16Array((30 * rateHz) / 50);
        const sounding = expected.subarray(0, (lengthMs * rateHz) / 1000);
        new ToneGenerator({ rateHz, frequencyHz: 1400, levelDbov: -20 }).write(sounding);
        assert.deepEqual(heard(tone, 30, rateHz), expected);
        assert.equal(overUs, lengthMs * 1000);
        assert.equal(tone.active, false);
      });

  it('is added to what is there, and never wraps', () => {
    const tone = new OverlayTone();
    tone.start('beep', () => {});
    const loud = new Int16Array(160).fill(32_000);
    tone.addTo(loud, 8000, 0);
    assert.ok(loud.every((sample) => sample > 25_000));
    assert.ok(loud.includes(32_767));
  });

  it('beeps sound one after the other', () => {
    const tone = new OverlayTone();
    const overUs: (number | undefined)[] = [];
    for (let k = 0; k < 2; k++) tone.start('beep', (atUs) => overUs.push(atUs));
    assert.deepEqual(loudSlots(heard(tone, 41)), [...Array<boolean>(40).fill(true), false]);
    assert.deepEqual(overUs, [400_000, 800_000]);
  });

  it('warnings of many recordings are one, also behind a beep, and the next is another one', () => {
    const tone = new OverlayTone();
    const over: [OverlayToneKind, number | undefined][] = [];
    const start = (kind: OverlayToneKind) => tone.start(kind, (atUs) => over.push([kind, atUs]));
    start('beep');
    for (let k = 0; k < 3; k++) start('warning');
    assert.deepEqual(loudSlots(heard(tone, 31)), [...Array<boolean>(30).fill(true), false]);
    assert.deepEqual(over, [['beep', 400_000], ...Array(3).fill(['warning', 600_000])]);
    start('warning');
    assert.deepEqual(loudSlots(heard(tone, 11)), [...Array<boolean>(10).fill(true), false]);
  });

  it('of a leg that is closed everything is told that it will not be heard', () => {
    const tone = new OverlayTone();
    const over: unknown[] = [];
    for (const kind of ['beep', 'warning', 'warning'] as const) tone.start(kind, (atUs) => over.push(atUs));
    tone.close();
    assert.deepEqual(over, [undefined, undefined, undefined]);
    assert.equal(tone.active, false);
  });
});
