import type { CodecName } from '../codec/codec.ts';

/** What the packets of a stream are. */
export interface TrackFormat {
  codec: CodecName;
  clockRateHz: number;
  ssrc: number;
}
