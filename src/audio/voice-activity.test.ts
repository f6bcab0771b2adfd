import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dbovToRms } from './level.ts';
import { hangoverMs, onsetDelayMs, VoiceActivity } from './voice-activity.ts';

const rateHz = 8000;
const perMs = rateHz / 1000;

/** White noise, the same each time. */
function noise(ms: number, levelDbov: number, rate = rateHz): Int16Array {
  const peak = Math.sqrt(3) * dbovToRms(levelDbov);
  let seed = ms;
  return Int16Array.from({ length: (ms * rate) / 1000 }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0;
    return Math.max(-32_768, Math.min(32_767, Math.round((peak * seed) / 2 ** 31)));
  });
}

function sine(ms: number, hz: number, peak: number): Int16Array {
  return Int16Array.from({ length: ms * perMs }, (_, i) =>
    Math.round(peak * Math.sin((2 * Math.PI * hz * i) / rateHz)),
  );
}

function joined(...parts: Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

const silence = (ms: number) => new Int16Array(ms * perMs);

function heard(samples: Int16Array, inputSensitivity?: number): VoiceActivity {
  const voice = new VoiceActivity(inputSensitivity === undefined ? { rateHz } : { rateHz, inputSensitivity });
  voice.push(samples);
  return voice;
}

function assertHearsNothing(samples: Int16Array): void {
  assert.equal(heard(samples).speechFrom, -1);
}

describe('decision', () => {
  test('speech lies where it is, at any rate, and is known 80 ms later; the hangover follows', () => {
    for (const rate of [8000, 16_000, 48_000]) {
      const voice = new VoiceActivity({ rateHz: rate });
      voice.push(new Int16Array(rate / 2));
      const burst = noise(300, -26, rate);
      const frame = rate / 100;
      let at = 0;
      while (!voice.push(burst, at, at + frame)) at += frame;
      assert.ok(at + frame <= (onsetDelayMs * rate) / 1000, `${rate} Hz: known after ${at + frame}`);
      assert.equal(voice.speechFrom, rate / 2);
      voice.push(burst, at + frame);
      assert.equal(voice.speechTo, rate * 0.8);
      // The level of 20 ms is looked at: it is loud for 10 ms longer.
      voice.push(new Int16Array(rate), 0, (hangoverMs * rate) / 1000);
      assert.equal(voice.speaking, true);
      voice.push(new Int16Array(rate), 0, frame);
      assert.equal(voice.speaking, false);
      assert.equal(voice.speechTo, rate * 0.81);
    }
  });

  test('is the same however the samples come', () => {
    const samples = joined(silence(200), noise(300, -30), silence(100), noise(85, -26), silence(500));
    const whole = heard(samples);
    for (const chunk of [1, 7, 80, 160, 333, 480]) {
      const voice = new VoiceActivity({ rateHz });
      for (let at = 0; at < samples.length; at += chunk)
        voice.push(samples, at, Math.min(samples.length, at + chunk));
      assert.deepEqual([voice.speechFrom, voice.speechTo], [whole.speechFrom, whole.speechTo]);
      assert.equal(voice.position, samples.length);
    }
  });

  test('a pause shorter than the hangover is part of the speech, a longer one is not', () => {
    const twoBursts = (pauseMs: number) =>
      heard(joined(silence(100), noise(200, -26), silence(pauseMs), noise(200, -26), silence(50)));
    assert.equal(twoBursts(hangoverMs - 20).speechFrom, 100 * perMs);
    assert.equal(twoBursts(hangoverMs + 20).speechFrom, (300 + hangoverMs + 20) * perMs);
  });

  test('a candidate is told before it is decided', () => {
    const voice = heard(joined(silence(100), noise(40, -26)));
    assert.equal(voice.speaking, false);
    assert.equal(voice.candidateFrom, 100 * perMs);
    voice.push(silence(onsetDelayMs + 10));
    assert.equal(voice.candidateFrom, -1);
    assert.equal(voice.speechFrom, -1);
  });
});

describe('what is no speech', () => {
  test('digital silence, direct current and its beginning', () => {
    assertHearsNothing(silence(2000));
    assertHearsNothing(joined(silence(500), new Int16Array(16_000).fill(12_000)));
  });

  test('clicks', () => {
    const click = joined(noise(10, -6), silence(90));
    assertHearsNothing(joined(...Array.from({ length: 20 }, () => click)));
  });

  test('mains hum of -40 dBov', () => {
    for (const hz of [50, 60]) assertHearsNothing(sine(10_000, hz, Math.SQRT2 * dbovToRms(-40)));
  });

  test('noise of -50 dBov, also behind silence', () => {
    assertHearsNothing(joined(silence(5000), noise(10_000, -50)));
  });

  test('louder noise once it has lasted for 4 s', () => {
    const voice = heard(noise(5000, -35));
    assert.equal(voice.speaking, false);
    voice.push(noise(500, -20));
    assert.equal(voice.speaking, true);
  });
});

describe('gaps', () => {
  test('a gap is silence of its time, however many calls tell of it', () => {
    const burst = joined(silence(100), noise(200, -26));
    const bySamples = heard(joined(burst, silence(300), noise(200, -26)));
    for (const steps of [[600], [310, 420, 600], [600, 450]]) {
      const voice = heard(burst);
      for (const ms of steps) voice.advanceTo(ms * perMs);
      assert.equal(voice.speaking, false);
      voice.push(noise(200, -26));
      assert.deepEqual(
        [voice.position, voice.speechFrom, voice.speechTo],
        [bySamples.position, bySamples.speechFrom, bySamples.speechTo],
      );
    }
  });

  test('hours pass at once, and hops stay where they are', () => {
    const voice = heard(noise(200, -26));
    const later = 20 * 3600 * rateHz + 33;
    assert.equal(voice.advanceTo(later), false);
    voice.push(noise(200, -26));
    assert.equal(voice.position, later + 200 * perMs);
    assert.ok(Math.abs(voice.speechFrom - later) <= 80, `${voice.speechFrom - later}`);
  });

  test('the past is past', () => {
    const voice = heard(noise(200, -26));
    assert.equal(voice.advanceTo(0), true);
    assert.equal(voice.position, 200 * perMs);
  });
});

describe('sensitivity', () => {
  /** Bursts, pauses and noises of random lengths and levels. */
  function anything(seed: number): Int16Array {
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return Math.floor(((state >>> 8) / 2 ** 24) * below);
    };
    return joined(
      ...Array.from({ length: 40 }, () => noise(10 * (1 + random(40)), -15 - random(60))),
      silence(100),
    );
  }

  test('the speech of each step is a part of the speech of the next', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const samples = anything(seed);
      let before: boolean[] = [];
      for (let inputSensitivity = 0; inputSensitivity <= 100; inputSensitivity++) {
        const voice = new VoiceActivity({ rateHz, inputSensitivity });
        const now: boolean[] = [];
        for (let at = 0; at < samples.length; at += 80) now.push(voice.push(samples, at, at + 80));
        const lost = before.findIndex((speaking, frame) => speaking && !now[frame]);
        assert.equal(lost, -1, `${lost * 10} ms is lost at ${inputSensitivity}, seed ${seed}`);
        before = now;
      }
      assert.ok(before.includes(true));
    }
  });

  test('0 hears only what is loud, 100 hears whispers', () => {
    const at = (levelDbov: number) => joined(silence(500), noise(500, levelDbov));
    assert.equal(heard(at(-28), 0).speaking, false);
    assert.equal(heard(at(-24), 0).speaking, true);
    assert.equal(heard(at(-64), 100).speaking, false);
    assert.equal(heard(at(-60), 100).speaking, true);
  });

  test('44 is the default', () => {
    for (const levelDbov of [-43, -40]) {
      const samples = joined(silence(500), noise(500, levelDbov));
      assert.equal(heard(samples).speaking, heard(samples, 44).speaking);
    }
  });
});
