import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tone } from '../audio/tone.ts';
import { type AudioRateHz, slotSamplesAt } from './codec-table.ts';
import { UtteranceListener, type UtteranceOutcome } from './utterance-listener.ts';

const options = { endSilenceMs: 500, maxSpeechMs: 5000, initialTimeoutMs: 2000 };

/** Hears parts of so many ms: what is said, or nothing. */
class Stage {
  readonly listener: UtteranceListener;
  rateHz: AudioRateHz = 8000;
  heardMs = 0;
  outcome: UtteranceOutcome | undefined;

  constructor(given: Partial<typeof options> = {}) {
    this.listener = new UtteranceListener({ ...options, ...given });
  }

  /** Stops where it ends. */
  say(ms: number): void {
    const voice = { rateHz: this.rateHz, frequencyHz: 300, levelDbov: -20 };
    const said = tone(voice, (ms * this.rateHz) / 1000);
    const slot = slotSamplesAt(this.rateHz);
    this.#hear(ms, (index) => said.subarray(index * slot, (index + 1) * slot));
  }

  quiet(ms: number): void {
    const still = new Int16Array(slotSamplesAt(this.rateHz));
    this.#hear(ms, () => still);
  }

  /** Nothing comes at all. */
  nothing(ms: number): void {
    this.#hear(ms, () => undefined);
  }

  get reason(): UtteranceOutcome['reason'] | undefined {
    return this.outcome?.reason;
  }

  get lengthMs(): number {
    if (this.outcome?.reason !== 'speech') return 0;
    const { samples, rateHz } = this.outcome.utterance;
    return (samples.length * 1000) / rateHz;
  }

  #hear(ms: number, frameAt: (index: number) => Int16Array | undefined): void {
    for (let index = 0; index < ms / 20 && !this.outcome; index++) {
      this.heardMs += 20;
      this.outcome = this.listener.hear({ frame: frameAt(index), rateHz: this.rateHz });
    }
  }
}

const near = (actual: number, wanted: number) =>
  assert.ok(Math.abs(actual - wanted) <= 60, `${actual} ms, not ${wanted}`);

describe('UtteranceListener', () => {
  test('an utterance with what lies around it, once it was silent for long enough', () => {
    const stage = new Stage();
    stage.quiet(3000);
    stage.say(1000);
    stage.quiet(300);
    stage.say(600);
    assert.equal(stage.listener.hasBegun, true);
    stage.quiet(2000);
    near(stage.heardMs, 3000 + 1000 + 300 + 600 + 500);
    near(stage.lengthMs, 400 + 1900 + 300);
  });

  for (const before of ['quiet', 'nothing'] as const)
    test(`who does not begin is waited for only once it is armed (${before})`, () => {
      const stage = new Stage();
      stage[before](5000);
      assert.equal(stage.reason, undefined);
      stage.listener.arm();
      stage[before](5000);
      assert.deepEqual([stage.reason, stage.heardMs], ['no-input', 7000]);
    });

  test('who begins in time is heard to the end; without a wait only who has begun before', () => {
    const stage = new Stage({ initialTimeoutMs: 0 });
    stage.say(200);
    stage.listener.arm();
    stage.say(800);
    stage.nothing(2000);
    assert.equal(stage.reason, 'speech');
    near(stage.lengthMs, 1000 + 300);
    const silent = new Stage({ initialTimeoutMs: 0 });
    silent.listener.arm();
    silent.quiet(100);
    assert.equal(silent.reason, 'no-input');
  });

  test('who speaks on is cut off', () => {
    const stage = new Stage();
    for (let sentence = 0; sentence < 20; sentence++) {
      stage.say(1000);
      stage.quiet(240);
    }
    near(stage.heardMs, 5000);
    near(stage.lengthMs, 5000);
  });

  test('wideband comes to 16 kHz, also behind a change of codec and with nothing before', () => {
    const stage = new Stage();
    stage.nothing(1000);
    stage.rateHz = 48_000;
    stage.say(1000);
    stage.rateHz = 8000;
    stage.say(500);
    stage.quiet(1000);
    assert.ok(stage.outcome?.reason === 'speech');
    assert.equal(stage.outcome.utterance.rateHz, 16_000);
    near(stage.lengthMs, 1500 + 300);
    const { samples } = stage.outcome.utterance;
    assert.ok(samples.some((sample) => Math.abs(sample) > 1000));
  });
});
