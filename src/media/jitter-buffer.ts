import type { Decoder } from '../codec/codec.ts';
import { ComfortNoise, comfortNoiseDbov, defaultComfortNoiseDbov } from '../codec/comfort-noise.ts';
import type { RtpTimestamp } from '../rtp/sequence.ts';
import {
  addToSequence,
  type SequenceNumber,
  sequenceDelta,
  timestampDelta,
  toRtpTimestamp,
  toSequenceNumber,
} from '../rtp/sequence.ts';
import { heldPackets, LossConcealment } from './loss-concealment.ts';
import { type BufferedPacket, PacketSlots, packetSlots } from './packet-slots.ts';
import { initialDelayFrames, maxDelayFrames, PlayoutDelay } from './playout-delay.ts';

export interface JitterBufferSettings {
  clockRateHz: number;
  /** Rate of the decoded samples; a whole multiple of the clock rate, or a whole part of it. */
  rateHz: number;
}

export interface JitterBufferCounters {
  /** Packets that came after their turn and were not played. */
  latePackets: number;
  duplicatePackets: number;
  /** Times playout started over: first packet, new SSRC, jump in time or sequence, late after a silence. */
  restarts: number;
  /** 20 ms frames left out or held back to keep the delay within its bounds. */
  droppedFrames: number;
  insertedFrames: number;
  /** Made up in place of lost packets. */
  concealedSamples: number;
}

/** What became of frames that were given away. */
export interface LentFrames {
  /** That came meanwhile, and were taken. */
  readonly packets: number;
  readonly frames: number;
  /** Of those that came and those that waited in the beginning. */
  readonly total: number;
  /** How many waited when one came. */
  readonly minAhead: number;
  readonly maxAhead: number;
  readonly decoder: Decoder;
  /** Of the last that were taken, and of those that wait; by their order from 0 on. */
  payload(index: number): Uint8Array;
}

/** After so many frames of nothing but silence and guesses, a late packet means that the sender's time stood still. */
const starvedFrames = 3;
/** One packet holds at most 120 ms of Opus (RFC 7587), and more of G.711 only from a strange sender. */
const maxPacketMs = 240;

const noSamples = new Int16Array(0);

/**
 * Evens out one stream for live playout: packets in, as they arrive; one frame of 20 ms out per slot. The spool does
 * not see it, it takes packets as they come. Lost packets are concealed, and so are late ones until they come: then what is
 * left of them is played. From a comfort noise packet on the gaps are noise until audio comes again, and where nothing
 * comes in a stream that told its noise; any other gap is silence.
 *
 * The delay adapts, see `PlayoutDelay`; a clean stream is never touched.
 */
export class JitterBuffer {
  readonly counters: JitterBufferCounters = {
    latePackets: 0,
    duplicatePackets: 0,
    restarts: 0,
    droppedFrames: 0,
    insertedFrames: 0,
    concealedSamples: 0,
  };
  readonly frameSamples: number;
  readonly #frameTicks: number;
  readonly #samplesPerTick: number;
  readonly #delay: PlayoutDelay;
  /** None before the first packet: what is relayed is not buffered. */
  #slots: PacketSlots | undefined;
  readonly #concealment: LossConcealment;
  #noise: ComfortNoise | undefined;
  #noiseRuns = false;
  /** Whose level `#noise` has. */
  #noiseSsrc = -1;
  /** What is played now is a guess. */
  #guesses = false;
  /** Since the last packet. */
  #guessedSamples = 0;
  #decodedFrom = 0;
  #decodedTo = 0;
  /** `waiting`: packets are queued, none was decoded yet, so an earlier one may still come first. */
  #state: 'empty' | 'waiting' | 'playing' = 'empty';
  #ssrc = 0;
  /** Sequence number of the next packet to decode, and of the newest one queued. */
  #next = toSequenceNumber(0);
  #newest = toSequenceNumber(0);
  /** RTP time of the next sample to play, as a signed number: those need no memory of their own. */
  #headTime = 0;
  /** Frames that are more, or less, than one packet are put together here, by turns. */
  #frames: [Int16Array, Int16Array] | undefined;
  #turn = 0;
  /** The last one. */
  #frame: Int16Array = noSamples;
  #silentFrames = 0;

  constructor({ clockRateHz, rateHz }: JitterBufferSettings) {
    this.frameSamples = rateHz / 50;
    this.#frameTicks = clockRateHz / 50;
    this.#samplesPerTick = rateHz / clockRateHz;
    this.#delay = new PlayoutDelay(this.#frameTicks);
    this.#concealment = new LossConcealment(rateHz, (rateHz * maxPacketMs) / 1000);
  }

  /** Whether there may be anything to take. */
  get active(): boolean {
    return this.#state !== 'empty';
  }

  /** Forgets everything; the next packet starts playout anew. */
  clear(): void {
    this.#noiseRuns = false;
    this.#empty();
  }

  #empty(): void {
    this.#slots?.clear();
    this.#decodedFrom = this.#decodedTo = 0;
    this.#guesses = false;
    this.#guessedSamples = 0;
    this.#state = 'empty';
    this.#delay.reset();
    this.#concealment.reset();
  }

  /**
   * Copies the payload. `decoder` is the stream's own; it runs when the packet's turn comes. Without one it is a
   * packet of comfort noise (RFC 3389).
   */
  put(packet: BufferedPacket, decoder: Decoder | undefined): void {
    const slots = (this.#slots ??= new PacketSlots());
    if (this.#mustRestart(packet)) this.#restart(packet);
    const { sequenceNumber } = packet;
    if (slots.has(sequenceNumber)) {
      this.counters.duplicatePackets++;
      return;
    }
    const marginTicks = timestampDelta(packet.rtpTime, this.#headTime as RtpTimestamp);
    this.#delay.observe(marginTicks);
    if (sequenceDelta(sequenceNumber, this.#next) < 0) {
      if (this.#state === 'playing' || marginTicks < 0) {
        this.counters.latePackets++;
        return;
      }
      this.#next = sequenceNumber;
    }
    if (sequenceDelta(sequenceNumber, this.#newest) > 0) this.#newest = sequenceNumber;
    slots.store(packet, decoder);
  }

  /** As `takeFrame`, into `out`. @returns false when nothing of this frame is here */
  take(out: Int16Array): boolean {
    const frame = this.takeFrame();
    if (frame) out.set(frame);
    return frame !== undefined;
  }

  /**
   * The next 20 ms; what is missing within the frame is silence.
   * @returns valid until the slot after the next; undefined when nothing of this frame is here
   */
  takeFrame(): Int16Array | undefined {
    if (this.#state === 'empty') return undefined;
    this.#turn ^= 1;
    if (this.#delay.holdsFrame()) {
      this.counters.insertedFrames++;
      this.#frame = this.#ownFrame();
      return this.#fillHeld(this.#frame) ? this.#frame : undefined;
    }
    let voiced = this.#nextFrame();
    if (this.#delay.dropsFrame(this.#frame, voiced)) {
      this.counters.droppedFrames++;
      voiced = this.#nextFrame();
    }
    this.#silentFrames = voiced && !this.#guesses ? 0 : this.#silentFrames + 1;
    return voiced || this.#noiseRuns ? this.#frame : undefined;
  }

  /**
   * Gives away what waits, and what comes next and is taken next, until `takeBack`: where that is nothing but packets of
   * one frame, in their order, of a decoder without a memory.
   * @param last the number of the newest packet
   * @param most of those that wait
   * @param take gets their payloads
   * @returns how many frames may be taken until then; 0: it keeps all
   */
  lend(decoder: Decoder, last: SequenceNumber, most: number, take: (payload: Uint8Array) => void): number {
    const frames = this.#delay.evenFrames;
    if (frames === 0 || last !== this.#newest || !this.#isEven(decoder)) return 0;
    const slots = this.#slots!;
    const waiting = sequenceDelta(last, this.#next) + 1;
    if (waiting < 0 || waiting > most || slots.rtpTimeOf(last) !== this.#timeOfFrame(waiting - 1)) return 0;
    for (let i = 0; i < waiting; i++) {
      const number = addToSequence(this.#next, i);
      const isWhole = slots.isQueued(number) && slots.payloadOf(number).length === this.#frameTicks;
      if (!isWhole || slots.decoderOf(number) !== decoder) return 0;
      if (slots.rtpTimeOf(number) !== this.#timeOfFrame(i)) return 0;
    }
    for (let i = 0; i < waiting; i++) {
      const number = addToSequence(this.#next, i);
      take(slots.payloadOf(number));
      slots.played(number);
    }
    return frames;
  }

  /** As if all that had come here and been taken here. */
  takeBack(lent: LentFrames): void {
    const { packets, frames, total, minAhead, maxAhead, decoder } = lent;
    const slots = this.#slots!;
    for (let i = Math.max(0, frames - heldPackets); i < frames; i++)
      this.#concealment.decode(lent.payload(i), decoder);
    for (let i = Math.max(0, total - packetSlots); i < frames; i++)
      slots.passed(addToSequence(this.#next, i), this.#timeOfFrame(i));
    for (let i = frames; i < total; i++) {
      const rtpTime = toRtpTimestamp(this.#timeOfFrame(i));
      const packet = { ssrc: this.#ssrc, sequenceNumber: addToSequence(this.#next, i), rtpTime };
      slots.store({ ...packet, payload: lent.payload(i) }, decoder);
    }
    this.#newest = addToSequence(this.#next, total - 1);
    this.#next = addToSequence(this.#next, frames);
    this.#headTime = this.#timeOfFrame(frames);
    this.#delay.wentOn(frames, packets, minAhead * this.#frameTicks, maxAhead * this.#frameTicks);
    if (frames === 0) return;
    this.#decodedFrom = this.#decodedTo = this.frameSamples;
    this.#frame = this.#concealment.head(this.frameSamples);
    this.#turn ^= frames & 1;
  }

  /** The last frame, and the one before, of `takeBack`. */
  get lastFrame(): Int16Array {
    return this.#frame;
  }

  get frameBefore(): Int16Array {
    return this.#concealment.headBefore(this.frameSamples);
  }

  /** Nothing is played but packets as they are. */
  #isEven(decoder: Decoder): boolean {
    return (
      this.#state === 'playing' &&
      this.#decodedFrom === this.#decodedTo &&
      !this.#noiseRuns &&
      !this.#guesses &&
      this.#silentFrames === 0 &&
      this.frameSamples === this.#frameTicks &&
      this.#concealment.isEven(decoder)
    );
  }

  /** Where the frame that is so many behind the next one begins. */
  #timeOfFrame(frames: number): number {
    return (this.#headTime + frames * this.#frameTicks) | 0;
  }

  #mustRestart({ ssrc, sequenceNumber, rtpTime }: BufferedPacket): boolean {
    if (this.#state === 'empty' || ssrc !== this.#ssrc) return true;
    if (Math.abs(sequenceDelta(sequenceNumber, this.#next)) >= packetSlots) return true;
    const margin = timestampDelta(rtpTime, this.#headTime as RtpTimestamp);
    if (Math.abs(margin) > maxDelayFrames * this.#frameTicks) return true;
    return (
      margin < 0 && this.#silentFrames >= starvedFrames && sequenceDelta(sequenceNumber, this.#next) >= 0
    );
  }

  #restart({ ssrc, sequenceNumber, rtpTime }: BufferedPacket): void {
    this.#empty();
    this.counters.restarts++;
    this.#state = 'waiting';
    this.#silentFrames = 0;
    this.#ssrc = ssrc;
    this.#next = this.#newest = sequenceNumber;
    this.#headTime = (rtpTime - initialDelayFrames * this.#frameTicks) | 0;
  }

  /** Makes the next `#frame` and moves the head. @returns whether there is a voice in it */
  #nextFrame(): boolean {
    if (this.#decodedFrom === this.#decodedTo && this.#gapBeforeNext(0) <= 0) {
      this.#decodeNext(0);
      if (this.#decodedFrom === 0 && this.#decodedTo === this.frameSamples) {
        this.#frame = this.#concealment.head(this.frameSamples);
        this.#decodedFrom = this.frameSamples;
        this.#headTime = (this.#headTime + this.#frameTicks) | 0;
        return true;
      }
    }
    this.#frame = this.#ownFrame();
    return this.#fill(this.#frame);
  }

  #ownFrame(): Int16Array {
    this.#frames ??= [new Int16Array(this.frameSamples), new Int16Array(this.frameSamples)];
    return this.#frames[this.#turn]!;
  }

  /** Fills one frame from the queue in order and moves the head. */
  #fill(out: Int16Array): boolean {
    let voicedSamples = 0;
    let filled = 0;
    while (filled < this.frameSamples) {
      const fromDecoded = Math.min(this.#decodedTo - this.#decodedFrom, this.frameSamples - filled);
      if (fromDecoded > 0) {
        const { samples } = this.#concealment;
        for (let i = 0; i < fromDecoded; i++) out[filled + i] = samples[this.#decodedFrom + i]!;
        this.#decodedFrom += fromDecoded;
        filled += fromDecoded;
        voicedSamples += fromDecoded;
        continue;
      }
      const gapSamples = this.#gapBeforeNext(filled);
      if (gapSamples <= 0) this.#decodeNext(filled);
      else if (!this.#concealLoss(gapSamples) && !this.#guess(filled))
        filled = this.#fillGap(out, filled, gapSamples);
    }
    this.#headTime = (this.#headTime + this.#frameTicks) | 0;
    return voicedSamples > 0;
  }

  /** The frame of a slot that is held back, so that the delay grows. */
  #fillHeld(out: Int16Array): boolean {
    if (this.#noiseRuns) {
      this.#noise?.write(out);
      return true;
    }
    // What is decoded already follows this slot; nothing fits between.
    const isBetween = this.#state === 'playing' && this.#decodedFrom === this.#decodedTo;
    const samples = isBetween ? this.#concealment.guess(this.frameSamples) : 0;
    out.set(this.#concealment.samples.subarray(0, samples));
    out.fill(0, samples);
    return samples > 0;
  }

  /** Silence or noise. @returns how much of the frame is filled then */
  #fillGap(out: Int16Array, filled: number, gapSamples: number): number {
    const end = Math.min(filled + gapSamples, this.frameSamples);
    if (this.#noiseRuns) this.#noise!.write(out, filled, end);
    else out.fill(0, filled, end);
    return end;
  }

  /** Packets between the last one played and the next one here were lost: makes up what comes next of them. */
  #concealLoss(gapSamples: number): boolean {
    if (this.#state !== 'playing' || this.#noiseRuns) return false;
    const queued = this.#nextQueued();
    if (queued < 0 || queued === this.#next) return false;
    this.#countGuesses();
    this.#guesses = false;
    const samples = this.#concealment.conceal(gapSamples, this.#slots!.payloadOf(queued));
    this.#decodedFrom = 0;
    this.#decodedTo = Math.min(samples, gapSamples);
    this.counters.concealedSamples += this.#decodedTo;
    return this.#decodedTo > 0;
  }

  /** Nothing is here that should be: it may be late or lost, or the sender pauses. */
  #guess(filled: number): boolean {
    if (this.#state !== 'playing' || this.#noiseRuns) return false;
    const pauses = this.#nextQueued() >= 0;
    const samples =
      pauses && !this.#concealment.guesses ? 0 : this.#concealment.guess(this.frameSamples - filled);
    if (samples === 0 && !pauses && this.#noiseSsrc === this.#ssrc) this.#noiseRuns = true;
    this.#guesses = true;
    this.#guessedSamples += samples;
    this.#decodedFrom = 0;
    this.#decodedTo = samples;
    return samples > 0;
  }

  /** Of packets that were not there in time. */
  #countGuesses(): void {
    this.counters.concealedSamples += this.#guessedSamples;
    this.#guessedSamples = 0;
  }

  /** Samples before the next queued packet, seen from `filled` samples into the frame. */
  #gapBeforeNext(filled: number): number {
    const queued = this.#nextQueued();
    return queued < 0 ? this.frameSamples : this.#samplesToHead(queued) - filled;
  }

  /** Whole ones: RTP time of a clock finer than the samples may lie between two of them. */
  #samplesToHead(sequenceNumber: number): number {
    const ticks = (this.#slots!.rtpTimeOf(sequenceNumber) - this.#headTime) | 0;
    return Math.round(ticks * this.#samplesPerTick);
  }

  /** Its sequence number; -1 where none is here. */
  #nextQueued(): number {
    const slots = this.#slots!;
    return slots.isQueued(this.#next) ? this.#next : slots.firstQueued(this.#next, this.#newest);
  }

  /** Decodes the next packet and skips what lies before `filled`. */
  #decodeNext(filled: number): void {
    const queued = this.#nextQueued();
    if (queued < 0) return;
    const slots = this.#slots!;
    const decoder = slots.decoderOf(queued);
    const payload = slots.payloadOf(queued);
    const missing = this.#state === 'playing' && queued !== this.#next;
    const behind = filled - this.#samplesToHead(queued);
    if (missing || behind > 0) this.#countGuesses();
    this.#guesses = false;
    this.#guessedSamples = 0;
    slots.played(queued);
    this.#state = 'playing';
    this.#next = addToSequence(toSequenceNumber(queued), 1);
    this.#noiseRuns = decoder === undefined;
    if (!decoder) {
      this.#noise ??= new ComfortNoise();
      this.#noiseSsrc = this.#ssrc;
      this.#noise.levelDbov = comfortNoiseDbov(payload) ?? defaultComfortNoiseDbov;
      return;
    }
    const samples = this.#concealment.decode(payload, decoder, missing, behind);
    this.#decodedFrom = Math.min(behind, samples);
    this.#decodedTo = samples;
    if (behind >= samples) this.counters.latePackets++;
  }
}
