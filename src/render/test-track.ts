import { createDecoder } from '../codec/decoders.ts';
import { createG711Encoder } from '../codec/g711.ts';
import type { SpoolRecord } from '../spool/records.ts';
import type { RecordingView, SampleReader, TrackView } from './track-source.ts';

/** Real G.711 streams for the tests of rendering. For tests only. */
export interface TestStream {
  records: SpoolRecord[];
  /** What the payloads decode to, all of them. */
  decoded: Int16Array;
}

export interface TestStreamOptions {
  codec?: 'PCMU' | 'PCMA';
  ssrc?: number;
  firstSequence?: number;
  firstTime?: number;
  /** Arrival of packet `k`, in microseconds on the room's clock; undefined: lost. */
  arrivalUs?: (k: number) => number | undefined;
}

export const frame = 160;

/** 20 ms packets of an 8 kHz signal, records in the order of arrival. */
export function testStream(samples: Int16Array, options: TestStreamOptions = {}): TestStream {
  const { codec = 'PCMU', ssrc = 1, firstSequence = 65_500, firstTime = 0xffff_f000 } = options;
  const { arrivalUs = (k) => k * 20_000 } = options;
  const encoder = createG711Encoder(codec === 'PCMU' ? 'ulaw' : 'alaw');
  const decoder = createDecoder(codec, 8000, 8000);
  const decoded = new Int16Array(samples.length);
  const packets: Extract<SpoolRecord, { kind: 'packet' }>[] = [];
  for (let k = 0; k * frame < samples.length; k += 1) {
    const payload = new Uint8Array(frame);
    encoder.encode(samples.subarray(k * frame, (k + 1) * frame), payload);
    decoder.decode(payload, decoded.subarray(k * frame));
    const arrival = arrivalUs(k);
    if (arrival === undefined) continue;
    const sequenceNumber = (firstSequence + k) & 0xffff;
    const rtpTime = (firstTime + k * frame) >>> 0;
    packets.push({ kind: 'packet', sequenceNumber, rtpTime, arrivalUs: arrival, payload });
  }
  packets.sort((a, b) => a.arrivalUs - b.arrivalUs);
  const payloadType = codec === 'PCMU' ? 0 : 8;
  return { records: [{ kind: 'format', codec, clockRateHz: 8000, payloadType, ssrc }, ...packets], decoded };
}

export function testTrack(
  trackId: string,
  records: SpoolRecord[],
  { startSample = 0, ...rest }: Partial<Pick<TrackView, 'startSample' | 'endSample' | 'side'>> = {},
): TrackView {
  return { trackId, startSample, endSample: undefined, ...rest, records: () => records };
}

export function testView(tracks: TrackView[], rest: Partial<RecordingView> = {}): RecordingView {
  return { rateHz: 8000, startSample: 0, endSample: undefined, pauses: [], ...rest, tracks };
}

/** Reads `samples` in blocks of uneven length. */
export function readAll(reader: SampleReader, samples: number, block = 1237): Int16Array {
  const out = new Int16Array(samples);
  for (let at = 0; at < samples; at += block) reader.read(out.subarray(at, at + block));
  return out;
}

export function testTone(samples: number, hertz: number, level: number, rateHz = 8000): Int16Array {
  return Int16Array.from({ length: samples }, (_, k) => level * Math.sin((2 * Math.PI * hertz * k) / rateHz));
}

/** Repeatable noise, full scale at `level` 32767. */
export function testNoise(samples: number, level: number, seed = 1): Int16Array {
  let state = seed;
  return Int16Array.from({ length: samples }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state / 2 ** 31) * level;
  });
}
