import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tone } from '../audio/tone.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import { RecordedTime } from './recorded-time.ts';
import { RecorderLimits } from './recorder-limits.ts';
import type { RecorderEnd } from './recorder-states.ts';

const rateHz = 8000;
const slot = 160;
const ms = 8;

function limitsOf(options: RecorderOptions, startSample = 0): { limits: RecorderLimits; time: RecordedTime } {
  const time = new RecordedTime();
  time.begin(startSample);
  return { limits: new RecorderLimits(options, rateHz, time), time };
}

describe('the maximum length', () => {
  const maxLengthMs = 333;
  const atSample = 1000 + maxLengthMs * ms;
  const over = { reason: 'max_length', atSample };

  it('is over once all audio up to it has come', () => {
    const { limits } = limitsOf({ maxLengthMs }, 1000);
    assert.equal(limits.reached(atSample - 1, atSample), undefined);
    assert.equal(limits.reached(atSample, atSample - 1), undefined);
    assert.deepEqual(limits.reached(atSample, atSample), over);
  });

  it('waits 200 ms for audio that is late, and no longer', () => {
    const { limits } = limitsOf({ maxLengthMs }, 1000);
    assert.equal(limits.reached(atSample + 200 * ms - 1, 0), undefined);
    assert.deepEqual(limits.reached(atSample + 200 * ms, 0), over);
  });

  it('counts no pause', () => {
    const { limits, time } = limitsOf({ maxLengthMs }, 1000);
    time.pause(2000);
    time.resume(5000);
    assert.equal(limits.lengthReached(atSample + 2999), undefined);
    assert.equal(limits.lengthReached(atSample + 3000), atSample + 3000);
    assert.deepEqual(limits.reached(atSample + 3000, Number.POSITIVE_INFINITY), {
      ...{ reason: 'max_length', atSample: atSample + 3000 },
    });
  });

  it('comes before a silence that is over later, not before one that is over with it', () => {
    for (const [initialTimeoutMs, reason] of [
      [99, 'no_input'],
      [100, 'no_input'],
      [101, 'max_length'],
    ] as const) {
      const { limits } = limitsOf({ maxLengthMs: 100, initialTimeoutMs });
      let end: RecorderEnd | undefined;
      for (let now = slot; !end; now += slot) end = limits.reached(now, 0);
      assert.deepEqual(end, { reason, atSample: Math.min(100, initialTimeoutMs) * ms });
    }
  });
});

describe('silence', () => {
  const word = tone({ rateHz, frequencyHz: 500, levelDbov: -20 }, 50 * slot);

  /** The end, where each packet of a word that begins at 40 ms comes so much later than it was said. */
  function endOf(options: RecorderOptions, latenessMs: (packet: number) => number): RecorderEnd | undefined {
    const { limits } = limitsOf(options);
    for (let now = 0; now < 5 * rateHz; now += slot) {
      for (let packet = 0; packet < 50; packet++) {
        const saidAt = 40 * ms + packet * slot;
        const cameAt = saidAt + slot + latenessMs(packet) * ms;
        if (cameAt > now - slot && cameAt <= now)
          limits.listener?.hear(saidAt, word.subarray(packet * slot, (packet + 1) * slot));
      }
      const end = limits.reached(now, Number.POSITIVE_INFINITY);
      if (end) return end;
    }
    return undefined;
  }

  it('is found in the same place with 40 ms of jitter as without', () => {
    const jitter = (packet: number) => (packet * 7) % 41;
    for (const options of [
      { endSilenceTimeoutMs: 20 },
      { endSilenceTimeoutMs: 700 },
      { initialTimeoutMs: 41, endSilenceTimeoutMs: 20 },
    ]) {
      const punctual = endOf(options, () => 0);
      assert.equal(punctual?.reason, 'end_silence');
      assert.deepEqual(endOf(options, jitter), punctual);
    }
  });

  it('ends what nobody spoke in exactly at the timeout', () => {
    const { limits } = limitsOf({ initialTimeoutMs: 500 }, 800);
    for (let now = 0; now < 800 + 560 * ms; now += slot) assert.equal(limits.reached(now, 0), undefined);
    const end = limits.reached(800 + 560 * ms + slot, 0);
    assert.deepEqual(end, { reason: 'no_input', atSample: 800 + 500 * ms });
  });
});
