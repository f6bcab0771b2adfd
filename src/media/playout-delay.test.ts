import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { initialDelayFrames, maxDelayFrames, PlayoutDelay } from './playout-delay.ts';

const frameTicks = 160;
const loud = new Int16Array(160).fill(8000);
const quiet = new Int16Array(160).fill(20);

/** Runs slots with one packet each; counts the frames held back and left out. */
function run(delay: PlayoutDelay, slots: number, marginTicks: number, frame: Int16Array) {
  const corrections = { held: 0, dropped: 0 };
  for (let i = 0; i < slots; i++) {
    delay.observe(marginTicks);
    if (delay.holdsFrame()) corrections.held++;
    else if (delay.dropsFrame(frame, true)) corrections.dropped++;
  }
  return corrections;
}

describe('PlayoutDelay', () => {
  for (const frames of [1, initialDelayFrames, initialDelayFrames + 0.5])
    it(`leaves a stream alone whose worst margin is ${frames} frames`, () => {
      assert.deepEqual(run(new PlayoutDelay(frameTicks), 1000, frames * frameTicks, quiet), {
        held: 0,
        dropped: 0,
      });
    });

  it('grows by a frame a window while the worst packet comes just in time', () => {
    assert.deepEqual(run(new PlayoutDelay(frameTicks), 300, 0, quiet), { held: 2, dropped: 0 });
  });

  it('shrinks by a frame a window while even the worst packet comes early', () => {
    const margin = (initialDelayFrames + 1) * frameTicks;
    assert.deepEqual(run(new PlayoutDelay(frameTicks), 300, margin, quiet), { held: 0, dropped: 2 });
  });

  it('waits for a quiet moment, but not for ever', () => {
    const delay = new PlayoutDelay(frameTicks);
    const margin = (initialDelayFrames + 1) * frameTicks;
    assert.equal(run(delay, 140, margin, loud).dropped, 0);
    assert.equal(run(delay, 1, margin, quiet).dropped, 1);
    const patient = new PlayoutDelay(frameTicks);
    assert.equal(run(patient, 200, margin, loud).dropped, 1);
  });

  it('grows at once when two packets came late, not when one did', () => {
    const delay = new PlayoutDelay(frameTicks);
    delay.observe(-frameTicks);
    assert.equal(delay.holdsFrame(), false);
    delay.observe(-frameTicks);
    assert.equal(delay.holdsFrame(), true);
    assert.equal(delay.holdsFrame(), false);
  });

  it('does not grow beyond its bound', () => {
    const delay = new PlayoutDelay(frameTicks);
    delay.observe(maxDelayFrames * frameTicks);
    delay.observe(-1);
    delay.observe(-1);
    assert.equal(delay.holdsFrame(), false);
  });

  it('forgets what was due when playout starts over', () => {
    const delay = new PlayoutDelay(frameTicks);
    delay.observe(-1);
    delay.observe(-1);
    delay.reset();
    assert.equal(delay.holdsFrame(), false);
  });
});
