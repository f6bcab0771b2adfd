import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNumber, type NumberFormat } from './number-format.ts';

const cases: [e164: string, format: NumberFormat, expected: string][] = [
  ['+4930901820', { form: 'plus' }, '+4930901820'],
  ['+4930901820', { form: 'digits' }, '4930901820'],
  ['+4930901820', { form: '00' }, '004930901820'],
  ['+4930901820', { form: 'national', country: 'DE' }, '030901820'],
  ['+4930901820', { form: 'national', country: 'GB' }, '004930901820'],
  ['+4930901820', { form: 'national', country: 'US' }, '0114930901820'],
  ['+15558881188', { form: 'national', country: 'US' }, '5558881188'],
  ['+34911234567', { form: 'national', country: 'ES' }, '911234567'],
  ['+4930901820', { form: 'national' }, '004930901820'],
  ['+4930901820', { form: 'digits', dialPrefix: '99' }, '994930901820'],
  ['1000', { form: '00', dialPrefix: '99' }, '1000'],
  ['anonymous', { form: 'digits' }, 'anonymous'],
];
for (const [e164, format, expected] of cases)
  test(`${e164} as ${JSON.stringify(format)} is ${expected}`, () =>
    assert.equal(formatNumber(e164, format), expected));
