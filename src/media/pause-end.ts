import type { CodecName } from '../codec/codec.ts';
import { holdsRedundancy } from '../codec/opus-redundancy.ts';
import type { PacketSeries } from '../timeline/packet-series.ts';
import { payloadDurationTicks } from '../timeline/payload-duration.ts';
import { longestStallUs, SaidTime } from './said-time.ts';

/** So long after it a stream that is too new to tell is taken for one of the pause. */
const newStreamUs = 1_000_000;
/** Packets arrive one after another but for so much. */
const slackUs = 1_000_000;

interface Audio {
  codec: CodecName;
  clockRateHz: number;
  ssrc: number;
  rtpTime: number;
  arrivalUs: number;
  payload: Uint8Array;
}

/**
 * The end of a pause of the call, for one leg: what the party said before it and what comes afterwards, held up or
 * turned round by the network, is for nobody. Where it cannot be told, it is taken for said before.
 */
export class PauseEnd {
  readonly #time = new SaidTime();
  /** Monotonic microseconds. */
  #atUs = Number.NEGATIVE_INFINITY;

  /** From here on the party is recorded again. */
  set(atUs: number): void {
    this.#atUs = atUs;
  }

  /** When the last packet was said, as if it had come by the fastest way. */
  get saidUs(): number {
    return this.#time.saidUs;
  }

  /** Every packet of audio or comfort noise, in the order of arrival. @returns whether it is of the pause */
  hidesAudio(packet: Audio): boolean {
    const { ssrc, clockRateHz, rtpTime, arrivalUs } = packet;
    const time = this.#time;
    time.took(ssrc, clockRateHz, rtpTime, arrivalUs);
    const sinceUs = arrivalUs - this.#atUs;
    if (sinceUs > longestStallUs) return false;
    if (time.saidUs < this.#atUs) return true;
    if (!time.isSettled && sinceUs <= newStreamUs) return true;
    return this.#repeatsPause(packet);
  }

  /** Something that comes about now, or behind it, may be of the pause. */
  isNear(arrivalUs: number): boolean {
    return arrivalUs - this.#atUs <= longestStallUs + slackUs;
  }

  /** A packet of audio that is of no pause. */
  took(ssrc: number, clockRateHz: number, rtpTime: number, arrivalUs: number): void {
    this.#time.took(ssrc, clockRateHz, rtpTime, arrivalUs);
  }

  /** As `took`, of packets that go on with each other. */
  tookSeries(ssrc: number, clockRateHz: number, series: PacketSeries): void {
    this.#time.tookSeries(ssrc, clockRateHz, series);
  }

  /** Of a key, a report: whatever has an RTP time of the stream. */
  hides(arrivalUs: number, ssrc: number, rtpTime: number, clockRateHz?: number): boolean {
    if (arrivalUs - this.#atUs > longestStallUs) return false;
    return this.saidAt(arrivalUs, ssrc, rtpTime, clockRateHz) < this.#atUs;
  }

  /** When that was, no later than it came. */
  saidAt(arrivalUs: number, ssrc: number, rtpTime: number, clockRateHz?: number): number {
    const saidUs = this.#time.at(ssrc, rtpTime, clockRateHz) ?? arrivalUs;
    return arrivalUs - saidUs > longestStallUs ? arrivalUs : Math.min(arrivalUs, saidUs);
  }

  /** In-band error correction: a packet of Opus may hold the one before once more (RFC 6716 section 2.1.7). */
  #repeatsPause({ codec, clockRateHz, payload }: Audio): boolean {
    if (codec !== 'OPUS') return false;
    const lengthUs = (payloadDurationTicks(codec, clockRateHz, payload) * 1_000_000) / clockRateHz;
    return this.#time.saidUs - lengthUs < this.#atUs && holdsRedundancy(payload);
  }
}
