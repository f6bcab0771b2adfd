import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tone } from '../audio/tone.ts';
import { voiceRateHz } from './stay-decoder.ts';
import { VoiceListener } from './voice-listener.ts';

const slot = 160;
const ms = 8;
const word = tone({ rateHz: voiceRateHz, frequencyHz: 500, levelDbov: -20 }, 30 * slot);

describe('VoiceListener', () => {
  it('hears what lies behind its own position where it is: now', () => {
    const listener = new VoiceListener({ initialTimeoutMs: 2000 }, (sample) => sample);
    assert.equal(listener.advance(1000 * ms), undefined);
    // The clock of the sender stood still for a second.
    for (let packet = 0; packet < 30; packet++) {
      listener.hear(packet * slot, word.subarray(packet * slot, (packet + 1) * slot));
      assert.equal(listener.advance(1000 * ms + (packet + 1) * slot), undefined);
    }
    assert.equal(listener.advance(4000 * ms), undefined, 'somebody spoke');
    const { from, to } = listener.speech!;
    assert.ok(Math.abs(from - 1000 * ms) <= 20 * ms, `${from / ms} ms`);
    assert.ok(Math.abs(to - 1600 * ms) <= 100 * ms, `${to / ms} ms`);
  });

  it('hears of a packet that is partly over the rest', () => {
    const listener = new VoiceListener({}, (sample) => sample);
    listener.advance(300 * ms);
    listener.hear(0, word);
    listener.advance(2000 * ms);
    const { from, to } = listener.speech!;
    assert.ok(Math.abs(from - 300 * ms) <= 20 * ms, `${from / ms} ms`);
    assert.ok(to >= 600 * ms && to <= 680 * ms, `${to / ms} ms`);
  });

  it('hears parties together, and clips where they are too loud', () => {
    const listener = new VoiceListener({ initialTimeoutMs: 1000 }, (sample) => sample);
    // Nobody is heard where two voices are each other's opposite.
    const opposite = word.map((sample) => -sample);
    listener.hear(0, word);
    listener.hear(0, opposite);
    assert.deepEqual(listener.advance(1100 * ms), { reason: 'no_input', at: 1000 * ms });
    const loud = new VoiceListener({ initialTimeoutMs: 1000 }, (sample) => sample);
    const square = Int16Array.from({ length: 30 * slot }, (_, k) => ((k >> 3) % 2 ? 30_000 : -30_000));
    for (let k = 0; k < 2; k++) loud.hear(0, square);
    // Wrapped, the sum would be much softer.
    assert.equal(loud.advance(1100 * ms), undefined);
    assert.ok(loud.speech);
  });

  it('is told where recorded time is', () => {
    const listener = new VoiceListener({}, (sample) => sample - 5000);
    listener.hear(5000 + 500 * ms, word);
    listener.advance(2000 * ms);
    assert.ok(Math.abs(listener.speech!.from - 500 * ms) <= 20 * ms);
  });
});
