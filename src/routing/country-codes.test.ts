import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callingPrefix } from './country-codes.ts';

const cases: [country: string, prefix: string | undefined][] = [
  ['US', '+1'],
  ['gb', '+44'],
  ['DE', '+49'],
  ['KZ', '+7'],
  ['1', '+1'],
  ['+353', '+353'],
  ['0', undefined],
  ['ZZ', undefined],
  ['', undefined],
  ['12345', undefined],
];
for (const [country, prefix] of cases)
  test(`${JSON.stringify(country)}: ${prefix}`, () => assert.equal(callingPrefix(country), prefix));
