import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { spokenDigits } from './spoken-digits.ts';

describe('spokenDigits', () => {
  for (const [text, digits] of [
    ['Forty-four.', '44'],
    ['four four', '44'],
    ['Four, four.', '44'],
    ['zero zero zero zero', '0000'],
    ['oh seven', '07'],
    ['double five one triple two', '551222'],
    ['One hundred and five', '105'],
    ['a', undefined],
    ['two thousand five hundred and twelve', '2512'],
    ['three million', '3000000'],
    ['one million two hundred thousand and six', '1200006'],
    ['nineteen eighty four', '1984'],
    ['twenty twenty', '2020'],
    ['twenty three forty', '2340'],
    ['5 hundred', '500'],
    ['1,234', '1234'],
    ['4, 1, 1, 1', '4111'],
    ["It's forty two, please.", '42'],
    ['My number is 0 1 2', '012'],
    ['hundred', undefined],
    ['double', undefined],
    ['forty two dogs', undefined],
    ['and', undefined],
    ['one and', undefined],
    ['hello', undefined],
    ['', undefined],
    ['um', undefined],
    ['one '.repeat(101), undefined],
  ] as const)
    test(`${text.slice(0, 40)} is ${digits ?? 'no number'}`, () => {
      assert.equal(spokenDigits(text), digits);
    });
});
