import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countryOfNumber } from './number-country.ts';

test('the country of a number: by the longest calling code, and the area code in North America', () => {
  const cases: [string, string | undefined][] = [
    ['+12025550123', 'US'],
    ['+14165550123', 'CA'],
    ['+12425550123', 'BS'],
    ['+442079460000', 'GB'],
    ['+4930901820', 'DE'],
    ['+46700000000', 'SE'],
    ['+74951234567', 'RU'],
    ['+35312345678', 'IE'],
    ['+358912345678', 'FI'],
    ['+8835100012345', undefined],
  ];
  for (const [number, country] of cases) assert.equal(countryOfNumber(number), country, number);
});
