import { callingPrefix } from './country-codes.ts';

/** How numbers are dialled inside a country and out of it (ITU-T Operational Bulletin, "Dialling procedures"). */
export interface NationalDialing {
  /** `+44` */
  countryPrefix: string;
  /** Stands before a national number: `0` in most countries; empty where there is none. */
  trunkPrefix: string;
  /** A national number may be dialled without the trunk prefix: there are no shorter, local ones. */
  closed: boolean;
  /** Stands before a country code. */
  internationalPrefix: string;
  /** Of a national number without its trunk prefix: nothing shorter (an emergency call, a short code) is one. */
  minDigits: number;
}

/** North America and what shares its numbering plan: 10 digits, `1` before them or not. */
const northAmerica = { trunkPrefix: '1', closed: true, internationalPrefix: '011', minDigits: 10 };
const usual = { trunkPrefix: '0', closed: false, internationalPrefix: '00', minDigits: 5 };
const withoutTrunkPrefix = { trunkPrefix: '', closed: true, internationalPrefix: '00', minDigits: 7 };

const closedPlans = new Set(
  ['+30', '+34', '+39', '+45', '+47', '+48', '+351', '+352', '+354', '+356', '+357', '+370', '+371', '+372']
    .concat(['+377', '+378', '+420', '+350', '+965', '+968', '+973', '+974', '+852', '+853', '+65'])
    .concat(['+212', '+216', '+225', '+221', '+237', '+267', '+502', '+503', '+504', '+505', '+506', '+507']),
);

/** What differs from the usual ways. */
const peculiar: Readonly<Record<string, Partial<Omit<NationalDialing, 'countryPrefix'>>>> = {
  '+7': { trunkPrefix: '8', closed: true, internationalPrefix: '810', minDigits: 10 },
  '+33': { closed: false, minDigits: 9 },
  '+36': { trunkPrefix: '06' },
  '+61': { internationalPrefix: '0011' },
  '+62': { internationalPrefix: '001' },
  '+65': { internationalPrefix: '001', minDigits: 8 },
  '+66': { internationalPrefix: '001' },
  '+81': { internationalPrefix: '010' },
  '+82': { internationalPrefix: '001' },
  '+212': { trunkPrefix: '0', closed: false },
  '+852': { internationalPrefix: '001', minDigits: 8 },
  '+972': { internationalPrefix: '00' },
};

/**
 * @param country two letters of ISO 3166-1, or a calling code with or without `+`
 * @returns undefined for a country that does not exist
 */
export function nationalDialing(country: string): NationalDialing | undefined {
  const countryPrefix = callingPrefix(country);
  if (countryPrefix === undefined) return undefined;
  if (countryPrefix === '+1') return { countryPrefix, ...northAmerica };
  const plan = closedPlans.has(countryPrefix) ? withoutTrunkPrefix : usual;
  return { countryPrefix, ...plan, ...peculiar[countryPrefix] };
}
