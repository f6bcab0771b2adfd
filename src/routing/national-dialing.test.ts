import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nationalDialing } from './national-dialing.ts';

const cases: [country: string, prefix: string, trunkPrefix: string, internationalPrefix: string][] = [
  ['DE', '+49', '0', '00'],
  ['gb', '+44', '0', '00'],
  ['US', '+1', '1', '011'],
  ['CA', '+1', '1', '011'],
  ['ES', '+34', '', '00'],
  ['IT', '+39', '', '00'],
  ['HU', '+36', '06', '00'],
  ['AU', '+61', '0', '0011'],
  ['JP', '+81', '0', '010'],
  ['SG', '+65', '', '001'],
  ['33', '+33', '0', '00'],
];
for (const [country, countryPrefix, trunkPrefix, internationalPrefix] of cases)
  test(`${country}: ${countryPrefix}, "${trunkPrefix}", ${internationalPrefix}`, () => {
    const dialing = nationalDialing(country);
    assert.deepEqual(
      [dialing?.countryPrefix, dialing?.trunkPrefix, dialing?.internationalPrefix],
      [countryPrefix, trunkPrefix, internationalPrefix],
    );
  });

test('no country', () => assert.equal(nationalDialing('ZZ'), undefined));
