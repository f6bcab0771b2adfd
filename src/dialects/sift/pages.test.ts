import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cursor } from '../../database/page.ts';
import { moment, pageBody, pageRequest } from './pages.ts';

const moments: [text: string, iso: string | undefined][] = [
  ['2026-01-31T10:00:00Z', '2026-01-31T10:00:00.000Z'],
  ['2026-01-31T10:00:00.25+02:00', '2026-01-31T08:00:00.250Z'],
  ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['1769853600', '2026-01-31T10:00:00.000Z'],
  ['1769853600.5', '2026-01-31T10:00:00.500Z'],
  ['0', '1970-01-01T00:00:00.000Z'],
  ['', undefined],
  ['yesterday', undefined],
  ['999999999999', undefined],
  ['2026-13-01', undefined],
  ['Jan 1 2026', undefined],
];
for (const [text, iso] of moments)
  test(`"${text}" is ${iso ?? 'no moment'}`, () =>
    assert.equal(moment.safeParse(text).data?.toISOString(), iso));

const cursor: Cursor = { direction: 'next', position: { at: new Date(5), id: 'x' } };
const request = { publicUrl: 'https://example.com/callreel', url: '/v0/things?a=1&cursor=old&limit=3' };

test('links keep the other parameters and the public base; both forms of a cursor lead on', () => {
  const { next, previous } = pageBody('things', { next: cursor, previous: undefined }, [], request);
  assert.match(next ?? '', /^https:\/\/example\.com\/callreel\/v0\/things\?a=1&cursor=[\w-]+&limit=3$/);
  assert.equal(previous, null);
  const bare = new URL(next!).searchParams.get('cursor')!;
  for (const text of [bare, next!])
    assert.deepEqual(pageRequest('things', { cursor: text, limit: 3 }), { limit: 3, cursor });
  assert.deepEqual(pageRequest('things', { cursor: '', limit: 3 }), { limit: 3 });
});

test('a URL without a cursor is no cursor', () => {
  assert.throws(() => pageRequest('things', { cursor: 'https://example.com/?a=1', limit: 3 }), {
    code: 'REQUEST_INVALID',
  });
});
