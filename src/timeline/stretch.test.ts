import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ratePpmAt, stretchUs } from './stretch.ts';

const stretch = { driftPpm: 100, slewPpm: -300, slewUs: 10_000_000 };

test('an offset is made up for once, the drift is followed on', () => {
  assert.equal(stretchUs(stretch, 0), 0);
  assert.equal(stretchUs(stretch, 10_000_000), 1000 - 3000);
  assert.equal(stretchUs(stretch, 600_000_000), 60_000 - 3000);
  assert.equal(stretchUs(stretch, -1_000_000), -100, 'what lies before it is stretched by the drift alone');
  assert.deepEqual(
    [0, 9_999_999, 10_000_000].map((rtpUs) => ratePpmAt(stretch, rtpUs)),
    [-200, -200, 100],
  );
});
