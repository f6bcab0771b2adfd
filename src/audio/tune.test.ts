import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tuneRound } from './tune.ts';

const rateHz = 8000;

describe('music for those who wait', () => {
  it('three that differ, each heard at once and all the way, never clipped', () => {
    const rounds = ([1, 2, 3] as const).map((tune) => tuneRound(tune, rateHz));
    for (const round of rounds) {
      const seconds = round.length / rateHz;
      assert.ok(seconds > 9 && seconds < 17, `${seconds} s`);
      assert.ok(round.every((sample) => Math.abs(sample) < 30_000));
      for (let from = 0; from + rateHz <= round.length; from += rateHz) {
        const power = round.subarray(from, from + rateHz).reduce((sum, sample) => sum + sample ** 2, 0);
        assert.ok(Math.sqrt(power / rateHz) > 200, `silence at ${from / rateHz} s`);
      }
    }
    assert.equal(new Set(rounds.map((round) => Buffer.from(round.buffer).toString('latin1'))).size, 3);
  });

  it('a round ends where it begins: no step at the seam', () => {
    for (const tune of [1, 2, 3] as const) {
      const round = tuneRound(tune, rateHz);
      const step = (at: number) => Math.abs(round[at % round.length]! - round[at - 1]!);
      const steps = Array.from({ length: round.length - 1 }, (_, index) => step(index + 1));
      assert.ok(step(round.length) <= steps.reduce((most, each) => Math.max(most, each), 0));
    }
  });

  it('is made once', () => {
    assert.equal(tuneRound(2, rateHz), tuneRound(2, rateHz));
  });
});
