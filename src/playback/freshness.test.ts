import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshness } from './freshness.ts';

test('what headers allow', () => {
  for (const [cacheControl, etag, keeps, maxAgeMs] of [
    ['', '', false, 0],
    ['', '"1"', true, 0],
    ['max-age=60', '', true, 60_000],
    ['Public, Max-Age="60"', '', true, 60_000],
    ['max-age=0', '', false, 0],
    ['max-age=0', '"1"', true, 0],
    ['max-age=999999999', '', true, 3_600_000],
    ['max-age=60, no-cache', '"1"', true, 0],
    ['max-age=60, no-store', '"1"', false, 60_000],
    ['max-age=-1', '', false, 0],
    ['max-age=1e9', '', false, 0],
    ['s-maxage=60', '', false, 0],
    [','.repeat(1000), '', false, 0],
  ] as const)
    assert.deepEqual(freshness(cacheControl, etag), { keeps, maxAgeMs }, cacheControl);
});
