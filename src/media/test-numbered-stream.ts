import type { Decoder } from '../codec/codec.ts';
import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import { JitterBuffer } from './jitter-buffer.ts';

/** One byte a sample, so that a frame says which samples of the sender it holds; never zero. */
export const decoder: Decoder = {
  rateHz: 8000,
  decode(payload, out) {
    for (let i = 0; i < payload.length; i++) out[i] = payload[i]! * 100;
    return payload.length;
  },
};

const senderSample = (time: number): number => (time % 251) + 1;

export interface Sender {
  ssrc: number;
  firstSequence: number;
  firstTime: number;
  packetSamples: number;
}

export const plain: Sender = { ssrc: 1, firstSequence: 0, firstTime: 0, packetSamples: 160 };

/** The sender's n-th packet; the content depends on the sample's place in the stream only. */
export function packet(n: number, { ssrc, firstSequence, firstTime, packetSamples }: Sender = plain) {
  const start = n * packetSamples;
  return {
    ssrc,
    sequenceNumber: toSequenceNumber(firstSequence + n),
    rtpTime: toRtpTimestamp(firstTime + start),
    payload: Uint8Array.from({ length: packetSamples }, (_, i) => senderSample(start + i)),
  };
}

export function expectedFrame(n: number, from = 0, to = 160): Int16Array {
  return Int16Array.from({ length: 160 }, (_, i) =>
    i >= from && i < to ? senderSample(n * 160 + i) * 100 : 0,
  );
}

export function newBuffer(): JitterBuffer {
  return new JitterBuffer({ clockRateHz: 8000, rateHz: 8000 });
}

/** Takes one slot; undefined where the buffer had nothing. */
export function take(buffer: JitterBuffer): Int16Array | undefined {
  const out = new Int16Array(160);
  return buffer.take(out) ? out : undefined;
}

export function takeMany(buffer: JitterBuffer, count: number): (Int16Array | undefined)[] {
  return Array.from({ length: count }, () => take(buffer));
}

export function rms(frame: Int16Array): number {
  return Math.sqrt(frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length);
}
