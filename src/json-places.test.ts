import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonPlace, jsonPlaces } from './json-places.ts';
import { seededRandom } from './testkit/random.ts';

function placeOf(text: string, ...path: (string | number)[]): number | undefined {
  const places = jsonPlaces(text);
  let at: JsonPlace | undefined = 'root' in places ? places.root : undefined;
  for (const key of path) at = at?.parts.get(key);
  return at?.offset;
}

test('every value has its place; of a name that stands twice the last one counts', () => {
  const text = '{"a": [1, {"b": "x"}], "\\u0061": [ 2,\n true], "c": -1.5e3}';
  assert.equal(placeOf(text), 0);
  assert.equal(text.slice(placeOf(text, 'a')).startsWith('[ 2'), true);
  assert.equal(text.slice(placeOf(text, 'a', 1)).startsWith('true'), true);
  assert.equal(text.slice(placeOf(text, 'c')).startsWith('-1.5e3'), true);
  assert.equal(placeOf(text, 'a', 5), undefined);
});

test('the first mistake and what should stand there', () => {
  for (const [text, offset, mistake] of [
    ['', 0, 'a value, and here the text ends'],
    ['{"a": 1,}', 8, 'a name in double quotes'],
    ['[1, 2,]', 6, 'a value'],
    ["{'a': 1}", 1, 'a name in double quotes or }'],
    ['{a: 1}', 1, 'a name in double quotes or }'],
    ['{"a" 1}', 5, ':'],
    ['{"a": yes}', 6, 'a value'],
    ['[1 2]', 3, ', or ]'],
    ['{"a": [1}', 8, ', or ]'],
    ['{"a": 1', 7, ', or }, and here the text ends'],
    ['[1] // one', 4, 'nothing more'],
    ['[01]', 1, 'a value or ]'],
    ['["a\nb"]', 1, 'a value or ]'],
    ['{"a": truest}', 6, 'a value'],
  ] as const)
    assert.deepEqual(jsonPlaces(text), { offset, mistake: `not JSON: expected ${mistake}` }, text);
});

test('what JSON.parse takes is taken, and nothing else', () => {
  const random = seededRandom(7);
  const alphabet = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '1',
    '-',
    '0',
    '.5',
    'e3',
    'true',
    'null',
    ' ',
    '\\n',
    'x',
  ];
  let good = 0;
  for (let round = 0; round < 20_000; round++) {
    const length = 1 + Math.floor(random() * 7);
    const text = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
    let isJson = true;
    try {
      JSON.parse(text);
    } catch {
      isJson = false;
    }
    assert.equal('root' in jsonPlaces(text), isJson, text);
    if (isJson) good++;
  }
  assert.ok(good > 100, `${good}`);
});

test('nesting without end and texts of any length are read', () => {
  const deep = 200_000;
  assert.ok('root' in jsonPlaces('['.repeat(deep) + ']'.repeat(deep)));
  assert.ok('root' in jsonPlaces(JSON.stringify('\\"\n'.repeat(500_000))));
});
