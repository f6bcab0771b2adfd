/** What a peer asks of the Opus stream that it is sent (RFC 7587 section 6.1); what is missing is the encoder's. */
export interface OpusParameters {
  maxPlaybackRateHz?: number;
  maxAverageBitrate?: number;
  useInbandFec?: boolean;
  useDtx?: boolean;
}

/** What we ask of peers. Stereo is mixed down as it is decoded; a pause is recorded as it was. */
export const opusFmtp = 'useinbandfec=1;usedtx=0';

/** Reads a format's parameters; values out of the range of RFC 7587 are as if they were missing. */
export function parseOpusParameters(fmtp: string | undefined): OpusParameters {
  const values = new Map<string, string>();
  for (const part of (fmtp ?? '').split(/[;\s]+/).slice(0, 64)) {
    const [name = '', value = ''] = part.split('=');
    if (!values.has(name.toLowerCase())) values.set(name.toLowerCase(), value);
  }
  const maxPlaybackRateHz = within(values.get('maxplaybackrate'), 8000, 48_000);
  const maxAverageBitrate = within(values.get('maxaveragebitrate'), 6000, 510_000);
  return {
    ...(maxPlaybackRateHz !== undefined && { maxPlaybackRateHz }),
    ...(maxAverageBitrate !== undefined && { maxAverageBitrate }),
    ...flag('useInbandFec', values.get('useinbandfec')),
    ...flag('useDtx', values.get('usedtx')),
  };
}

function within(text: string | undefined, least: number, most: number): number | undefined {
  const value = /^\d{1,7}$/.test(text ?? '') ? Number(text) : 0;
  return value >= least && value <= most ? value : undefined;
}

function flag<Name extends string>(name: Name, text: string | undefined): Partial<Record<Name, boolean>> {
  if (text !== '0' && text !== '1') return {};
  return { [name]: text === '1' } as Record<Name, boolean>;
}
