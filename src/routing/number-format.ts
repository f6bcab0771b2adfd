import { nationalDialing } from './national-dialing.ts';

/** `plus`: +4930901820; `digits`: 4930901820; `00`: 004930901820; `national`: 030901820 in its own country. */
export const numberForms = ['plus', 'digits', '00', 'national'] as const;
export type NumberForm = (typeof numberForms)[number];

export interface NumberFormat {
  form: NumberForm;
  /** For `national`, whose numbers are shortened; numbers of other countries get the international prefix. */
  country?: string | undefined;
  /** Dialled before everything else: a carrier's access code. */
  dialPrefix?: string | undefined;
}

/** A number as a trunk wants it. @param e164 as `toE164` gives it; anything else is left as it is */
export function formatNumber(e164: string, { form, country, dialPrefix = '' }: NumberFormat): string {
  return /^\+\d+$/.test(e164) ? dialPrefix + inForm(e164, form, country) : e164;
}

function inForm(e164: string, form: NumberForm, country: string | undefined): string {
  const digits = e164.slice(1);
  if (form === 'plus') return e164;
  if (form === 'digits') return digits;
  const dialing = country === undefined ? undefined : nationalDialing(country);
  if (form === 'national' && dialing && e164.startsWith(dialing.countryPrefix)) {
    const national = e164.slice(dialing.countryPrefix.length);
    // In North America the ten digits alone are the national form.
    return dialing.countryPrefix === '+1' ? national : dialing.trunkPrefix + national;
  }
  return `${form === 'national' ? (dialing?.internationalPrefix ?? '00') : '00'}${digits}`;
}
