import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Mixer } from './mixer.ts';

const frame = (...samples: number[]): Int16Array => Int16Array.from(samples);

describe('Mixer', () => {
  it('gives each of two parties exactly the other one', () => {
    const mixer = new Mixer(3);
    const a = frame(1, -2, 32767);
    const b = frame(-5, 7, 32767);
    mixer.add(a);
    mixer.add(b);
    const out = new Int16Array(3);
    mixer.minus(a, out);
    assert.deepEqual(out, b);
    mixer.minus(b, out);
    assert.deepEqual(out, a);
  });

  it('gives a listener the sum, saturated at both ends', () => {
    const mixer = new Mixer(3);
    mixer.add(frame(30000, -30000, 5));
    mixer.add(frame(10000, -10000, -7));
    const out = new Int16Array(3);
    mixer.all(out);
    assert.deepEqual(out, frame(32767, -32768, -2));
  });

  it('stays exact for a quiet party in a room that saturates', () => {
    const mixer = new Mixer(1);
    const loud = frame(32767);
    for (let i = 0; i < 20; i++) mixer.add(loud);
    const quiet = frame(-3);
    mixer.add(quiet);
    const out = new Int16Array(1);
    for (let i = 0; i < 19; i++) mixer.add(frame(-32767));
    mixer.minus(loud, out);
    assert.deepEqual(out, frame(-3));
    assert.equal(mixer.speakers, 40);
  });

  it('starts every slot from silence and mixes in place', () => {
    const mixer = new Mixer(2);
    mixer.add(frame(100, 200));
    mixer.clear();
    assert.equal(mixer.speakers, 0);
    const own = frame(1, 1);
    mixer.add(own);
    mixer.add(frame(10, 20));
    mixer.minus(own, own);
    assert.deepEqual(own, frame(10, 20));
    mixer.clear();
    mixer.all(own);
    assert.deepEqual(own, frame(0, 0));
  });
});
