import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MutatorOptions, mutate, replaced } from './mutator.ts';
import { Random } from './random.ts';

const text = Buffer.from('INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nbody');
const other = Buffer.from('BYE sip:c@d SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n');

function options(seed: number, isText: boolean): MutatorOptions {
  return { random: new Random(seed), dictionary: [Buffer.from('word')], isText, maxBytes: 500 };
}

for (const isText of [true, false])
  test(`changes of ${isText ? 'text' : 'bytes'}: within bounds, many kinds, and the same again for the same seed`, () => {
    const all = (seed: number) => {
      const settings = options(seed, isText);
      return Array.from({ length: 500 }, () => Buffer.from(mutate(text, other, settings)).toString('latin1'));
    };
    const results = all(3);
    assert.deepEqual(all(3), results);
    assert.notDeepEqual(all(4), results);
    assert.ok(results.every(({ length }) => length <= 500));
    assert.ok(new Set(results).size > 400);
    assert.ok(results.some((result) => result.includes('word')));
    assert.ok(results.some((result) => result.includes('BYE')));
    assert.ok(results.some(({ length }) => length < text.length / 2));
    assert.ok(results.some(({ length }) => length === 500));
    assert.equal(text.toString('latin1').slice(0, 6), 'INVITE', 'the input itself stays');
  });

test('an empty input can be changed', () => {
  const settings = options(1, true);
  for (let i = 0; i < 300; i++)
    assert.ok(mutate(new Uint8Array(0), new Uint8Array(0), settings).length <= 500);
});

test('replaced', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  assert.deepEqual([...replaced(bytes, 1, 2, Uint8Array.of(9))], [1, 9, 4]);
  assert.deepEqual([...replaced(bytes, 3, 9)], [1, 2, 3]);
  assert.deepEqual([...replaced(bytes, 4, 0, Uint8Array.of(5))], [1, 2, 3, 4, 5]);
});
