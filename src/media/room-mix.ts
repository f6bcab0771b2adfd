import { encodeByTable, type LawTables } from '../codec/g711.ts';
import { type AudioRateHz, slotSamplesAt } from './codec-table.ts';
import { FrameResampler } from './frame-resampler.ts';
import { Mixer } from './mixer.ts';

/** One party's slot as it came: samples at the rate of its own codec, undefined where there are none. */
export interface PartySlot {
  readonly frame: Int16Array | undefined;
  readonly previousFrame: Int16Array | undefined;
  readonly rateHz: AudioRateHz;
}

/** What one party brings into a mix and takes out of it. */
export class MixParty {
  /** This slot at the mix's rate, where `voiced`. */
  frame: Int16Array = nothing;
  /** It says something; who sends silence does not. */
  voiced = false;
  /** Slots in a row that this party said nothing in. */
  quietSlots = 0;
  /** At all. */
  hasSpoken = false;
  input: FrameResampler | undefined;
  output: FrameResampler | undefined;

  /** It hears the same as all who say nothing; at another rate its voice is in no filter any more either. */
  hearsAll(isOfOneRate: boolean): boolean {
    return isOfOneRate ? !this.voiced : this.quietSlots > 1 || !this.hasSpoken;
  }
}

interface SharedResampler {
  readonly resampler: FrameResampler;
  /** The last one it was used in, and what it gave. */
  slot: number;
  samples: Int16Array | undefined;
}

const nothing = new Int16Array(0);
/** G.711 is what was sent, to the bit: whatever is not zero is heard. */
const exactRateHz = 8000;
/** Of digital silence G.722 and Opus make up to 4. */
const silentPeak = 8;

/**
 * One slot after the other of a room at one rate. Parties whose codec has another rate are resampled on their way in
 * and out; parties that said nothing hear the same, so that is resampled once for each rate.
 */
export class RoomMix {
  readonly rateHz: AudioRateHz;
  readonly #mixer: Mixer;
  readonly #samples: number;
  /** These are made when they are needed: where all is relayed they are not. */
  #own: Int16Array | undefined;
  /** The sum of everybody in this slot and the one before, for resamplers that begin in the middle. */
  #all: Int16Array | undefined;
  #previousAll: Int16Array | undefined;
  #allFresh = false;
  #keepsHistory = false;
  #slot = 0;
  readonly #shared = new Map<AudioRateHz, SharedResampler>();
  readonly #encodedAll = new Map<LawTables, { slot: number; bytes: Uint8Array }>();

  constructor(rateHz: AudioRateHz) {
    this.rateHz = rateHz;
    this.#samples = slotSamplesAt(rateHz);
    this.#mixer = new Mixer(this.#samples);
  }

  get speakers(): number {
    return this.#mixer.speakers;
  }

  begin(): void {
    if (this.#keepsHistory) {
      const previous = this.#sumOfAll();
      this.#all = this.#previousAll;
      this.#previousAll = previous;
    }
    this.#mixer.clear();
    this.#allFresh = false;
    this.#slot++;
  }

  /** Every party of the room once a slot. */
  add(party: MixParty, slot: PartySlot): void {
    const said = slot.frame && !isSilent(slot.frame, slot.rateHz) ? slot.frame : undefined;
    const frame = this.#atOwnRate(party, said, slot);
    countSlot(party, frame !== undefined);
    if (!frame) return;
    party.frame = frame;
    this.#mixer.add(frame);
  }

  /** As `add`, of a party whose frames have the mix's rate. */
  addEncoded(party: MixParty, tables: LawTables, bytes: Uint8Array, at: number): void {
    countSlot(party, true);
    this.#mixer.addDecoded(tables.toLinear, bytes, at);
  }

  /** The same of bytes that are silence. */
  addSilence(party: MixParty): void {
    countSlot(party, false);
  }

  /** What everybody hears who added silence, or nothing; once in a slot for all of them. */
  encodedForSilent(sent: LawTables): Uint8Array {
    const known = this.#encodedAll.get(sent);
    if (known?.slot === this.#slot) return known.bytes;
    const bytes = known?.bytes ?? new Uint8Array(this.#samples);
    this.#encodedAll.set(sent, { slot: this.#slot, bytes });
    encodeByTable(sent.fromLinear, this.#sumOfAll(), bytes, 0);
    return bytes;
  }

  /** As `samplesFor`, encoded, for who added these bytes. */
  encodeFor(
    own: LawTables,
    bytes: Uint8Array,
    at: number,
    sent: LawTables,
    out: Uint8Array,
    outAt: number,
  ): void {
    this.#mixer.minusEncoded(own, bytes, at, sent, out, outAt);
  }

  /**
   * What the party hears, at its own rate; after every party was added.
   * @returns undefined for silence; else valid until the next call
   */
  samplesFor(party: MixParty, rateHz: AudioRateHz): Int16Array | undefined {
    const others = this.#mixer.speakers - (party.voiced ? 1 : 0);
    if (rateHz === this.rateHz) {
      party.output = undefined;
      return others === 0 ? undefined : this.#mixFor(party);
    }
    this.#keepsHistory = true;
    if (party.hearsAll(false)) {
      party.output = undefined;
      return this.#sharedAt(rateHz);
    }
    if (party.output?.toHz !== rateHz) {
      party.output = new FrameResampler(this.rateHz, rateHz);
      party.output.prime(this.#before());
    }
    return others > 0 ? party.output.push(this.#mixFor(party)) : party.output.pushSilence();
  }

  /** What every party hears that said nothing for some slots; undefined for silence. */
  sharedSamples(rateHz: AudioRateHz): Int16Array | undefined {
    if (rateHz !== this.rateHz) return this.#sharedAt(rateHz);
    return this.#mixer.speakers > 0 ? this.#sumOfAll() : undefined;
  }

  #mixFor(party: MixParty): Int16Array {
    if (!party.voiced) return this.#sumOfAll();
    const own = (this.#own ??= new Int16Array(this.#samples));
    this.#mixer.minus(party.frame, own);
    return own;
  }

  #sumOfAll(): Int16Array {
    const all = (this.#all ??= new Int16Array(this.#samples));
    if (!this.#allFresh) this.#mixer.all(all);
    this.#allFresh = true;
    return all;
  }

  #before(): Int16Array {
    return (this.#previousAll ??= new Int16Array(this.#samples));
  }

  #sharedAt(rateHz: AudioRateHz): Int16Array | undefined {
    let shared = this.#shared.get(rateHz);
    if (!shared) {
      const resampler = new FrameResampler(this.rateHz, rateHz);
      this.#shared.set(rateHz, (shared = { resampler, slot: -1, samples: undefined }));
    }
    const { resampler } = shared;
    if (shared.slot === this.#slot) return shared.samples;
    if (shared.slot !== this.#slot - 1) resampler.prime(this.#before());
    shared.slot = this.#slot;
    shared.samples = this.#mixer.speakers > 0 ? resampler.push(this.#sumOfAll()) : resampler.pushSilence();
    return shared.samples;
  }

  #atOwnRate(
    party: MixParty,
    frame: Int16Array | undefined,
    { previousFrame, rateHz }: PartySlot,
  ): Int16Array | undefined {
    if (rateHz === this.rateHz) {
      party.input = undefined;
      return frame;
    }
    if (party.input?.fromHz !== rateHz) {
      party.input = new FrameResampler(rateHz, this.rateHz);
      if (previousFrame) party.input.prime(previousFrame);
    }
    if (frame) return party.input.push(frame);
    return party.input.pushSilence();
  }
}

function countSlot(party: MixParty, voiced: boolean): void {
  party.voiced = voiced;
  party.quietSlots = voiced ? 0 : party.quietSlots + 1;
  party.hasSpoken ||= voiced;
}

/** Nobody hears it. */
function isSilent(frame: Int16Array, rateHz: number): boolean {
  const peak = rateHz === exactRateHz ? 0 : silentPeak;
  for (let i = 0; i < frame.length; i++) if (frame[i]! > peak || frame[i]! < -peak) return false;
  return true;
}
