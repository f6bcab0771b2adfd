import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AudioRateHz } from './codec-table.ts';
import { slotSamplesAt } from './codec-table.ts';
import { MixParty, RoomMix } from './room-mix.ts';
import { amplitudeAt } from './test-voice.ts';

/** A party that hums at its own rate; 0 Hz: it says nothing. */
class Humming {
  readonly party = new MixParty();
  readonly rateHz: AudioRateHz;
  readonly #hertz: number;
  frame: Int16Array | undefined;
  previousFrame: Int16Array | undefined;
  readonly heard: number[] = [];

  constructor(rateHz: AudioRateHz, hertz: number) {
    this.rateHz = rateHz;
    this.#hertz = hertz;
  }

  speak(slot: number): void {
    this.previousFrame = this.frame;
    const samples = slotSamplesAt(this.rateHz);
    const step = (2 * Math.PI * this.#hertz) / this.rateHz;
    this.frame =
      this.#hertz === 0
        ? undefined
        : Int16Array.from({ length: samples }, (_, i) => 6000 * Math.sin(step * (slot * samples + i)));
  }

  hear(samples: Int16Array | undefined): void {
    this.heard.push(...(samples ?? new Int16Array(slotSamplesAt(this.rateHz))));
  }

  /** Amplitude of a tone in what was heard, but for its beginning. */
  level(hertz: number): number {
    return amplitudeAt(Int16Array.from(this.heard).subarray(this.heard.length >> 2), hertz, this.rateHz);
  }
}

function run(mix: RoomMix, parties: Humming[], slots: number): void {
  for (let slot = 0; slot < slots; slot++) {
    mix.begin();
    for (const each of parties) {
      each.speak(slot);
      mix.add(each.party, each);
    }
    for (const each of parties) each.hear(mix.samplesFor(each.party, each.rateHz));
  }
}

describe('RoomMix', () => {
  it('gives each party the others and not itself, at its own rate', () => {
    const narrow = new Humming(8000, 500);
    const wide = new Humming(16_000, 900);
    const full = new Humming(48_000, 1500);
    const silent = new Humming(8000, 0);
    const parties = [narrow, wide, full, silent];
    run(new RoomMix(16_000), parties, 40);
    for (const each of parties)
      for (const [other, hertz] of [
        [narrow, 500],
        [wide, 900],
        [full, 1500],
      ] as const)
        if (other === each)
          assert.ok(each.level(hertz) < 60, `${each.rateHz} hears itself: ${each.level(hertz)}`);
        else assert.ok(Math.abs(each.level(hertz) - 6000) < 120, `${each.rateHz}: ${each.level(hertz)}`);
  });

  it('says that there is silence, once the last sound has ended', () => {
    const mix = new RoomMix(8000);
    const listener = new Humming(16_000, 0);
    const speaker = new Humming(8000, 500);
    run(mix, [listener, speaker], 5);
    const quiet = { frame: undefined, previousFrame: undefined, rateHz: 8000 } as const;
    const results = Array.from({ length: 3 }, () => {
      mix.begin();
      mix.add(speaker.party, quiet);
      mix.add(listener.party, { ...quiet, rateHz: 16_000 });
      return mix.samplesFor(listener.party, 16_000) !== undefined;
    });
    assert.deepEqual(results, [true, false, false]);
  });

  for (const { rateHz, silent, faintest } of [
    // G.711 is heard as it was sent, to the bit.
    { rateHz: 8000, silent: 0, faintest: 1 },
    { rateHz: 16_000, silent: 8, faintest: 9 },
  ] as const)
    it(`adds no silence at ${rateHz} Hz, and takes who sends it for one who listens`, () => {
      const mix = new RoomMix(rateHz);
      const speaker = new Humming(rateHz, 500);
      const [muted, faint] = [new MixParty(), new MixParty()];
      const slot = (frame: Int16Array) => ({ frame, previousFrame: undefined, rateHz }) as const;
      const samples = rateHz / 50;
      mix.begin();
      speaker.speak(0);
      mix.add(speaker.party, speaker);
      mix.add(muted, slot(new Int16Array(samples).map((_, i) => (i % 2 ? silent : -silent))));
      assert.deepEqual([mix.speakers, muted.voiced, muted.quietSlots], [1, false, 1]);
      assert.deepEqual(mix.samplesFor(muted, rateHz), speaker.frame);
      assert.equal(mix.samplesFor(speaker.party, rateHz), undefined);
      mix.add(faint, slot(new Int16Array(samples).fill(faintest, samples - 1)));
      assert.deepEqual([mix.speakers, faint.voiced, faint.quietSlots], [2, true, 0]);
    });
});
