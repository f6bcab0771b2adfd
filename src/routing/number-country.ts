import { countriesOf } from './country-codes.ts';

/** Of a calling code that countries share: the one that has most of its numbers. */
const principal: Readonly<Record<string, string>> = {
  '1': 'US',
  '7': 'RU',
  '39': 'IT',
  '44': 'GB',
  '47': 'NO',
  '61': 'AU',
  '212': 'MA',
  '262': 'RE',
  '290': 'SH',
  '358': 'FI',
  '590': 'GP',
  '599': 'CW',
};

/** Area codes of the North American Numbering Plan outside the United States (NANPA, 2026). */
const northAmerica: Readonly<Record<string, string>> = {
  CA:
    '204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 460 468 474 506 ' +
    '514 519 537 548 568 579 581 584 587 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 ' +
    '902 905 942',
  AG: '268',
  AI: '264',
  AS: '684',
  BB: '246',
  BM: '441',
  BS: '242',
  DM: '767',
  DO: '809 829 849',
  GD: '473',
  GU: '671',
  JM: '658 876',
  KN: '869',
  KY: '345',
  LC: '758',
  MP: '670',
  MS: '664',
  PR: '787 939',
  SX: '721',
  TC: '649',
  TT: '868',
  VC: '784',
  VG: '284',
  VI: '340',
};

const byAreaCode = new Map(
  Object.entries(northAmerica).flatMap(([country, codes]) => codes.split(' ').map((code) => [code, country])),
);
const maxCodeDigits = 3;

/**
 * @param e164 as `toE164` gives it
 * @returns ISO 3166-1, two letters; of countries that share a calling code the largest, except in North America;
 *   undefined for a number of no country
 */
export function countryOfNumber(e164: string): string | undefined {
  const digits = e164.slice(1);
  if (digits.startsWith('1')) return byAreaCode.get(digits.slice(1, 4)) ?? 'US';
  for (let length = maxCodeDigits; length > 0; length--) {
    const code = digits.slice(0, length);
    const [first] = countriesOf(code);
    if (first !== undefined) return principal[code] ?? first;
  }
  return undefined;
}
