import type { CodecName } from '../codec/codec.ts';
import { randomOf } from './test-random.ts';

/*
 * A sender's own account of what it said and when, and the packets that a network made of it. Shares nothing with the
 * timeline: a packet's place is known because it was spoken there. For tests only.
 */

export interface AccountPacket {
  /** From 1 on. */
  id: number;
  codec: CodecName;
  clockRateHz: number;
  ssrc: number;
  sequenceNumber: number;
  rtpTime: number;
  durationTicks: number;
  arrivalUs: number;
  spokenMs: number;
  /** `optional`: so late that it may be left out, `anywhere`: or lie where it arrived, in silence. */
  place: 'certain' | 'optional' | 'anywhere';
}

/** Where a packet's audio lies in the file, in samples. */
export interface Span {
  id: number;
  atSample: number;
  samples: number;
}

const frameMs = 20;
/** From mouth to room, where nothing disturbs. */
export const delayMs = 60;

export interface Disturbance {
  /** Share of the packets that never come. */
  loss?: number;
  /** Each comes later by up to this. */
  jitterMs?: number;
  /** Share of the packets that come twice or three times. */
  duplicates?: number;
}

/** One party's stream, said step by step. The first and last packets of each step come undisturbed. */
export class RtpAccount {
  readonly packets: AccountPacket[] = [];
  readonly #random: () => number;
  #codec: { codec: CodecName; clockRateHz: number } = { codec: 'PCMU', clockRateHz: 8000 };
  #ssrc = 0x1000;
  #sequence: number;
  #rtpTime: number;
  #spokenMs = 0;
  #lastId = 0;

  constructor({ sequence, rtpTime, seed = 1 }: { sequence: number; rtpTime: number; seed?: number }) {
    this.#sequence = sequence;
    this.#rtpTime = rtpTime;
    this.#random = randomOf(seed);
  }

  /** Where the sender is, on its own time. */
  get spokenMs(): number {
    return this.#spokenMs;
  }

  say(frames: number, { loss = 0, jitterMs = 0, duplicates = 0 }: Disturbance = {}): this {
    const calm = 20;
    for (let frame = 0; frame < frames; frame++) {
      const isCalm = frame < calm || frame >= frames - calm;
      const packet = this.#next();
      if (isCalm) this.packets.push(packet);
      else if (this.#random() >= loss) {
        const late = {
          ...packet,
          arrivalUs: packet.arrivalUs + Math.floor(1000 * jitterMs * this.#random()),
        };
        this.packets.push(late);
        if (this.#random() < duplicates) this.#repeat(late, 1 + Math.floor(2 * this.#random()));
      }
    }
    return this;
  }

  /** Discontinuous transmission: RTP time goes on, numbers do not. */
  rest(frames: number): this {
    this.#spokenMs += frames * frameMs;
    this.#rtpTime += frames * this.#ticksPerFrame();
    return this;
  }

  /** Time passes, RTP time stands still (T3). */
  freeze(ms: number): this {
    this.#spokenMs += ms;
    return this;
  }

  /** The last packet but so many comes so much later, long after it was given up (T4). */
  holdUp(lastBut: number, ms: number): this {
    const packet = this.packets.at(-1 - lastBut)!;
    packet.arrivalUs += 1000 * ms;
    // Where none behind it came, it could as well be the first after a pause with frozen RTP time.
    packet.place = lastBut === 0 ? 'anywhere' : 'optional';
    return this;
  }

  changeSsrc(sequence: number, rtpTime: number): this {
    this.#ssrc += 1;
    this.#sequence = sequence;
    this.#rtpTime = rtpTime;
    return this;
  }

  /** In the same stream; a clock of another rate goes on from the same number. */
  changeCodec(codec: CodecName, clockRateHz: number): this {
    this.#codec = { codec, clockRateHz };
    return this;
  }

  /** In order of arrival. */
  arrivals(): AccountPacket[] {
    return this.packets.toSorted((a, b) => a.arrivalUs - b.arrivalUs || a.id - b.id);
  }

  /** What the file holds at this rate, each packet once, in order. */
  spans(rateHz: number): Span[] {
    const samplesPerMs = rateHz / 1000;
    const samples = frameMs * samplesPerMs;
    const spans = this.packets.map(({ id, spokenMs }) => ({
      id,
      atSample: (spokenMs + delayMs) * samplesPerMs,
      samples,
    }));
    const byId = new Map(spans.map((span) => [span.id, span]));
    return [...byId.values()].sort((one, other) => one.id - other.id);
  }

  #next(): AccountPacket {
    const packet = {
      id: ++this.#lastId,
      ...this.#codec,
      ssrc: this.#ssrc,
      sequenceNumber: this.#sequence & 0xffff,
      rtpTime: this.#rtpTime % 2 ** 32,
      durationTicks: this.#ticksPerFrame(),
      arrivalUs: (this.#spokenMs + delayMs) * 1000,
      spokenMs: this.#spokenMs,
      place: 'certain' as const,
    };
    this.#sequence += 1;
    this.#rtpTime += packet.durationTicks;
    this.#spokenMs += frameMs;
    return packet;
  }

  #repeat(packet: AccountPacket, times: number): void {
    for (let i = 0; i < times; i++)
      this.packets.push({ ...packet, arrivalUs: packet.arrivalUs + Math.floor(60_000 * this.#random()) });
  }

  #ticksPerFrame(): number {
    return (this.#codec.clockRateHz * frameMs) / 1000;
  }
}
