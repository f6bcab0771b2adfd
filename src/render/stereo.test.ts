import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OpenSide, StereoReader } from './stereo.ts';

/** Counts from `first` on, up to the end. */
function counting(first: number, closed: number[]): OpenSide {
  return (fromSample, endSample) => {
    let at = fromSample;
    return {
      read: (out) => {
        for (let k = 0; k < out.length; k += 1, at += 1) out[k] = at < endSample ? first + at : 0;
      },
      close: () => void closed.push(first),
    };
  };
}

test('each side is on its own, in reads of any length, and both are closed', () => {
  const closed: number[] = [];
  const reader = new StereoReader({ left: counting(100, closed), right: counting(200, closed) }, 5, 2);
  const out = new Int16Array(4);
  reader.read(out);
  assert.deepEqual([...out], [102, 202, 103, 203]);
  const rest = new Int16Array(6);
  reader.read(rest);
  assert.deepEqual([...rest], [104, 204, 0, 0, 0, 0]);
  reader.close();
  assert.deepEqual(closed, [100, 200]);
});

test('a side that there is not is silent', () => {
  const out = Int16Array.of(9, 9, 9, 9);
  new StereoReader({ right: counting(1, []) }, 9, 0).read(out);
  assert.deepEqual([...out], [0, 1, 0, 2]);
});
