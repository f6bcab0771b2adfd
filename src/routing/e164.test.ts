import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normaliseNumber, numberSpellings, toE164 } from './e164.ts';

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
  `+1${' '.repeat(200)}5558881188`,
  '+1５５５8881188',
];

for (const [text, e164] of accepted)
  test(`${text} is ${e164}`, () => assert.equal(normaliseNumber(text), e164));

for (const text of refused)
  test(`${JSON.stringify(text.slice(0, 20))} is no number`, () =>
    assert.throws(() => normaliseNumber(text), { code: 'NUMBER_INVALID' }));

const national: [country: string, text: string, e164: string | undefined][] = [
  ['DE', '030 901820', '+4930901820'],
  ['DE', '+44 20 7183 8750', '+442071838750'],
  ['DE', '0044 20 7183 8750', '+442071838750'],
  ['DE', '901820', undefined],
  ['DE', '112', undefined],
  ['DE', '0112', undefined],
  ['GB', '020-7183-8750', '+442071838750'],
  ['US', '(555) 888-1188', '+15558881188'],
  ['US', '1-555-888-1188', '+15558881188'],
  ['US', '011 44 20 7183 8750', '+442071838750'],
  ['US', '888-1188', undefined],
  ['US', '911', undefined],
  ['ES', '911 234 567', '+34911234567'],
  ['ES', '112', undefined],
  ['IT', '06 1234 5678', '+390612345678'],
  ['HU', '06 1 234 5678', '+3612345678'],
  ['SG', '001 44 20 7183 8750', '+442071838750'],
  ['ZZ', '030901820', undefined],
];
for (const [country, text, e164] of national)
  test(`${text} in ${country} is ${e164}`, () => assert.equal(toE164(text, country), e164));

const written: [text: string, e164: string | undefined][] = [
  ['tel:+1-201-555-0123;isub=1411', '+12015550123'],
  ['tel:030-901820;phone-context=+49', '+4930901820'],
  ['tel:863-1234;phone-context=+1-914', '+19148631234'],
  ['tel:7042;phone-context=example.com', undefined],
  ['TEL:+15558881188;PHONE-CONTEXT=+44', '+15558881188'],
  ['%2B15558881188', '+15558881188'],
  ['+15558881188;npdi;rn=+15550001111', '+15558881188'],
  ['+1555%ZZ8881188', undefined],
];
for (const [text, e164] of written) test(`${text} is ${e164}`, () => assert.equal(toE164(text), e164));

test('a called user part is looked up as it stands, as E.164, with + and without', () => {
  assert.deepEqual(numberSpellings('+1555'), ['+1555', '1555']);
  assert.deepEqual(numberSpellings('1555'), ['1555', '+1555']);
  assert.deepEqual(numberSpellings('lobby'), ['lobby', '+lobby']);
  assert.deepEqual(numberSpellings(''), []);
  assert.deepEqual(numberSpellings('004930901820').slice(0, 3), [
    '004930901820',
    '+4930901820',
    '4930901820',
  ]);
  assert.deepEqual(numberSpellings('030901820', 'DE').slice(0, 2), ['030901820', '+4930901820']);
  assert.ok(numberSpellings('+15558881188;npdi').includes('+15558881188'));
});
