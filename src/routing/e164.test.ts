import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normaliseNumber, numberSpellings } from './e164.ts';

const accepted: [text: string, e164: string][] = [
  ['+15558881188', '+15558881188'],
  ['+1 (555) 888-1188', '+15558881188'],
  ['+49 30/901820', '+4930901820'],
  ['tel:+1-555-888-1188;phone-context=example.com', '+15558881188'],
  ['0015558881188', '+15558881188'],
  ['+123456789012345', '+123456789012345'],
];
const refused = [
  '',
  '+',
  '5558881188',
  '911',
  '+0155588811',
  '+12345',
  '+1234567890123456',
  '+1555888118a',
  '+1555\u0000888118',
  'anonymous',
  'sip:bob@example.com',
  `+1${' '.repeat(100)}5558881188`,
  '+1５５５8881188',
];

for (const [text, e164] of accepted)
  test(`${text} is ${e164}`, () => assert.equal(normaliseNumber(text), e164));

for (const text of refused)
  test(`${JSON.stringify(text.slice(0, 20))} is no number`, () =>
    assert.throws(() => normaliseNumber(text), { code: 'NUMBER_INVALID' }));

test('a called user part is looked up as it stands, with + and without', () => {
  assert.deepEqual(numberSpellings('+1555'), ['+1555', '1555']);
  assert.deepEqual(numberSpellings('1555'), ['1555', '+1555']);
  assert.deepEqual(numberSpellings('lobby'), ['lobby', '+lobby']);
  assert.deepEqual(numberSpellings(''), []);
});
