import type { Attribute, MediaDescription } from './session-description.ts';

/** What one payload type of an m-line stands for. */
export interface PayloadFormat {
  payloadType: number;
  /** Encoding name in capitals: `PCMU`, `OPUS`, `TELEPHONE-EVENT`. */
  encoding: string;
  clockRateHz: number;
  channels: number;
  fmtp: string | undefined;
}

/** Payload types that need no rtpmap (RFC 3551 section 6), as far as telephony still offers them. */
const staticFormats: Readonly<Record<number, string>> = {
  0: 'PCMU/8000',
  3: 'GSM/8000',
  4: 'G723/8000',
  8: 'PCMA/8000',
  9: 'G722/8000',
  13: 'CN/8000',
  15: 'G728/8000',
  18: 'G729/8000',
};

/** Its sampling rate is twice that, and some write the sampling rate (RFC 3551 section 4.5.2). */
const g722ClockRateHz = 8000;

/** Of telephony and of its events; others would turn lengths and durations into nonsense. */
const leastClockRateHz = 8000;
const mostClockRateHz = 192_000;

/**
 * The m-line's formats in its order; what has no meaning (no number, no rtpmap, no possible clock, a repetition) is left
 * out.
 */
export function payloadFormats(media: MediaDescription): PayloadFormat[] {
  const rtpmaps = byPayloadType(media.attributes, 'rtpmap');
  const fmtps = byPayloadType(media.attributes, 'fmtp');
  const formats = new Map<number, PayloadFormat>();
  for (const text of media.formats) {
    const payloadType = /^\d{1,3}$/.test(text) ? Number(text) : 128;
    if (payloadType > 127 || formats.has(payloadType)) continue;
    const map = /^([^/\s]+)\/(\d{1,7})(?:\/(\d{1,2}))?/.exec(
      rtpmaps.get(payloadType) ?? staticFormats[payloadType] ?? '',
    );
    const clockRateHz = Number(map?.[2]);
    if (!map || !(clockRateHz >= leastClockRateHz && clockRateHz <= mostClockRateHz)) continue;
    const encoding = map[1]!.toUpperCase();
    formats.set(payloadType, {
      payloadType,
      encoding,
      clockRateHz: encoding === 'G722' ? g722ClockRateHz : clockRateHz,
      channels: Number(map[3] ?? 1),
      fmtp: fmtps.get(payloadType),
    });
  }
  return [...formats.values()];
}

/** `a=name:<payload type> <rest>`; the first of a payload type counts. */
function byPayloadType(attributes: Attribute[], name: string): Map<number, string> {
  const values = new Map<number, string>();
  for (const attribute of attributes) {
    const parts = attribute.name === name ? /^(\d{1,3})\s+(.*)$/s.exec(attribute.value ?? '') : null;
    if (parts && !values.has(Number(parts[1]))) values.set(Number(parts[1]), parts[2]!);
  }
  return values;
}

/** @returns the rtpmap, and the fmtp where there is one */
export function formatAttributes({
  payloadType,
  encoding,
  clockRateHz,
  channels,
  fmtp,
}: PayloadFormat): Attribute[] {
  const name = encodingNames[encoding] ?? encoding;
  const map = `${payloadType} ${name}/${clockRateHz}${channels > 1 ? `/${channels}` : ''}`;
  const attributes: Attribute[] = [{ name: 'rtpmap', value: map }];
  if (fmtp !== undefined) attributes.push({ name: 'fmtp', value: `${payloadType} ${fmtp}` });
  return attributes;
}

/** As their RFCs write them; some peers compare case-sensitively. */
const encodingNames: Readonly<Record<string, string>> = {
  OPUS: 'opus',
  'TELEPHONE-EVENT': 'telephone-event',
};
