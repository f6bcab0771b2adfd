import { type AudioRateHz, audioRatesHz, isStateless, maxSlotSamples, slotSamplesAt } from './codec-table.ts';
import type { NegotiatedCodec, RoomMode } from './control.ts';
import type { MediaSession } from './media-session.ts';
import type { MixedPath } from './mixed-path.ts';
import { RestingRoom } from './resting-room.ts';
import { MixParty, type PartySlot, RoomMix } from './room-mix.ts';
import { SharedEncodings } from './shared-encodings.ts';
import { SlotCount } from './slot-count.ts';

interface Member {
  readonly session: MediaSession;
  readonly mode: RoomMode;
  party: MixParty;
  /** In the mix without those who must not be recorded. */
  recordable: MixParty;
  /** In the mix that is being faded out. */
  former: MixParty | undefined;
  /** Takes part in the shared stream of its codec. */
  shares: boolean;
  /** By which it brings and takes slots, while that is open. */
  mixed: MixedPath | undefined;
  /** What it said in this slot came by that. */
  isFast: boolean;
}

/** A codec with a memory is encoded in common for those who said nothing for so long. */
const listenerSlots = 50;
/** Filters hold nothing any more of who said nothing for so long. */
const settledSlots = 3;
/** Of what takes the fast path. */
const fastRateHz = 8000;
/** In smaller rooms nothing is gained by it. */
const sharingMembers = 4;
/** Of all rooms: it is sent at once. */
const faded = new Int16Array(maxSlotSamples);
const nothingSaid: PartySlot = { frame: undefined, previousFrame: undefined, rateHz: audioRatesHz[0] };

/**
 * A conference: every slot, each party is sent the sum of the others. It mixes at the best rate that one of them can
 * speak and another hear; where that changes, one slot fades from the old mix to the new one. Two parties that are
 * alone may be relayed: what they send then goes past the mixer to the other, and only the rest of it is mixed.
 */
export class Room {
  readonly roomId: string;
  readonly #members: Member[] = [];
  /** Two who may be relayed. */
  #relays = false;
  /** The last slot was the relay's alone. */
  #hasPassed = false;
  #encodings = new SharedEncodings();
  #mix = new RoomMix(audioRatesHz[0]);
  /** What recordings of single calls hear where somebody must not be recorded. */
  #recordable: RoomMix | undefined;

  /** While it has nothing to do for what is relayed. */
  readonly resting: RestingRoom;

  /** @param order among the rooms of `slots` */
  constructor(roomId: string, slots = new SlotCount(), order = 0) {
    this.roomId = roomId;
    this.resting = new RestingRoom(slots, order);
  }

  add(session: MediaSession, mode: RoomMode): void {
    this.#wake();
    this.#members.push({
      ...{ session, mode, party: new MixParty(), recordable: new MixParty() },
      ...{ former: undefined, shares: false, mixed: undefined, isFast: false },
    });
    this.withhold();
    this.#linkRelay();
  }

  remove(session: MediaSession): void {
    const index = this.#members.findIndex((member) => member.session === session);
    if (index < 0) return;
    this.#wake();
    this.#members.splice(index, 1);
    if (this.#members.length === 0) this.forgetAudio();
    session.relayTo(undefined);
    if (session.output.heard) session.output.heard.withheld = false;
    this.withhold();
    this.#linkRelay();
  }

  /** What this party says, or hears, goes another way from now on. */
  muteChanged(session: MediaSession): void {
    const member = this.#members.find((each) => each.session === session);
    if (!member) return;
    this.#wake();
    member.party = new MixParty();
    member.recordable = new MixParty();
    this.withhold();
    this.#linkRelay();
  }

  /** Before a packet more is sent: who hears somebody that must not be recorded is not recorded by what it is sent. */
  withhold(): void {
    this.#wake();
    for (const member of this.#members) {
      const { heard } = member.session.output;
      if (heard)
        heard.withheld =
          !member.session.stay?.deaf &&
          this.#members.some((other) => other !== member && isNeverRecorded(other));
    }
  }

  /** Its filters and encoders hold nothing of what was said any more. */
  forgetAudio(): void {
    this.#wake();
    this.#beginMix(this.#mix.rateHz);
    this.#encodings = new SharedEncodings();
    this.#recordable = undefined;
    for (const member of this.#members) {
      member.former = undefined;
      member.recordable = new MixParty();
    }
  }

  /** To do something with them. */
  sessions(): MediaSession[] {
    this.#wake();
    return this.#members.map(({ session }) => session);
  }

  has(legIds: readonly string[]): boolean {
    return this.#members.some(({ session }) => legIds.includes(session.legId));
  }

  /** One slot of 20 ms, where it is due. */
  slot(): void {
    const { order, restsTo, slots } = this.resting;
    slots.comes(order);
    if (restsTo > 0 && this.resting.continues()) return;
    this.mixSlot();
    slots.isThrough(order);
    if (this.#hasPassed) this.resting.begin(this.#members.map(({ session }) => session));
  }

  /** Takes a frame of each party, sends each its mix. */
  mixSlot(): void {
    this.#hasPassed = this.#relays && this.#passSlot();
    if (this.#hasPassed) return;
    const rateHz = this.#bestRateHz();
    const former = rateHz === this.#mix.rateHz ? undefined : this.#mix;
    if (former) {
      this.#wake();
      this.#beginMix(rateHz);
      former.begin();
    }
    this.#mix.begin();
    this.#encodings.begin();
    for (const member of this.#members) {
      member.isFast = this.#addFast(member);
      if (!member.isFast) this.#addSlot(member, former);
    }
    for (const member of this.#members) {
      if (member.isFast) this.#sendFast(member);
      else if (former && member.former && !member.session.stay?.deaf) this.#sendFade(member, former);
      else this.#sendSlot(member);
      member.former = undefined;
    }
    this.#captureRecordable();
    if (!this.#relays && rateHz === fastRateHz && !this.#isWithheld) this.#openFast();
  }

  #addSlot({ session, party, former: formerParty }: Member, former: RoomMix | undefined): void {
    session.takeSlot();
    const said = session.stay?.muted ? nothingSaid : session.playout;
    this.#mix.add(party, said);
    if (formerParty) former?.add(formerParty, said);
  }

  /** Legs that say and hear something, each slot a packet. */
  #openFast(): void {
    for (const member of this.#members)
      if (!member.mixed?.isOpen && member.party.voiced) member.mixed = member.session.mix();
  }

  #addFast({ mixed, session }: Member): boolean {
    if (!mixed?.isOpen) return false;
    if (mixed.addTo(this.#mix)) return true;
    session.fast.wake();
    return false;
  }

  #sendFast(member: Member): void {
    const { mixed, party, session } = member;
    if (mixed?.isOpen) mixed.send(this.#mix);
    else {
      // It was woken by what was sent before.
      party.frame = session.playout.frame!;
      this.#sendSlot(member);
    }
  }

  get #isWithheld(): boolean {
    for (const { mixed, session } of this.#members)
      if (!mixed?.isOpen && session.output.heard?.withheld) return true;
    return false;
  }

  /** And what is known of all that passed is told. */
  #wake(): void {
    this.resting.wake();
    for (const { session } of this.#members) session.fast.wake();
  }

  #captureRecordable(): void {
    if (!this.#isWithheld) {
      this.#recordable = undefined;
      return;
    }
    if (this.#recordable?.rateHz !== this.#mix.rateHz) this.#recordable = new RoomMix(this.#mix.rateHz);
    const mix = this.#recordable;
    mix.begin();
    for (const member of this.#members)
      if (!isNeverRecorded(member) && !member.session.stay?.muted)
        mix.add(member.recordable, member.session.playout);
    for (const { session, recordable } of this.#members)
      if (session.output.heard?.withheld)
        session.output.captureSlot(mix.samplesFor(recordable, session.output.rateHz));
  }

  /** The second highest rate: what nobody else can speak or hear needs no mixing. */
  #bestRateHz(): AudioRateHz {
    let best: AudioRateHz = audioRatesHz[0];
    let second: AudioRateHz = audioRatesHz[0];
    for (const { mixed, session } of this.#members) {
      const rateHz = mixed?.isOpen ? fastRateHz : session.output.rateHz;
      if (rateHz > best) {
        second = best;
        best = rateHz;
      } else if (rateHz > second) second = rateHz;
    }
    return second;
  }

  #beginMix(rateHz: AudioRateHz): void {
    this.#mix = new RoomMix(rateHz);
    for (const member of this.#members) {
      member.former = member.party;
      member.party = new MixParty();
      member.party.quietSlots = member.former.quietSlots;
    }
  }

  #sendSlot(member: Member): void {
    const { session, party } = member;
    const { output } = session;
    const format = output.beginSlot();
    if (!format) return;
    if (session.stay?.deaf) output.sendSilence();
    else if (!output.playing && this.#mayShare(member, format)) this.#sendShared(member, format);
    else {
      const samples = this.#mix.samplesFor(party, output.rateHz);
      if (samples) output.sendSamples(samples);
      else output.sendSilence();
    }
  }

  #mayShare(member: Member, format: NegotiatedCodec): boolean {
    const { party } = member;
    const { output } = member.session;
    if (isStateless(format.codec))
      return output.rateHz === this.#mix.rateHz ? !party.voiced : party.quietSlots > 1;
    const listens = party.quietSlots > listenerSlots && output.takesEncoded;
    // The step between two encoders is not heard where both are silent.
    member.shares =
      listens && this.#members.length >= sharingMembers && (member.shares || this.#mix.speakers === 0);
    return member.shares;
  }

  #sendShared({ session: { output } }: Member, format: NegotiatedCodec): void {
    const samples = this.#mix.sharedSamples(output.rateHz);
    if (!samples && isStateless(format.codec)) output.sendSilence();
    else
      output.sendSlot(this.#encodings.encode(output.encodingKey, format, samples ?? silence(output.rateHz)));
  }

  /** The one slot from a mix to its successor at another rate. */
  #sendFade({ session: { output }, party, former: formerParty }: Member, former: RoomMix): void {
    if (!output.beginSlot()) return;
    const { rateHz } = output;
    const out = faded.subarray(0, slotSamplesAt(rateHz));
    const from = former.samplesFor(formerParty!, rateHz);
    const to = this.#mix.samplesFor(party, rateHz);
    for (let i = 0; i < out.length; i++) {
      const before = from ? from[i]! : 0;
      const after = to ? to[i]! : 0;
      out[i] = before + ((after - before) * i) / out.length;
    }
    output.sendSamples(out);
  }

  /** @returns whether the slot is dealt with: all that is heard goes past the mixer */
  #passSlot(): boolean {
    for (const { session, party } of this.#members)
      if (party.quietSlots < settledSlots || !session.isRelayed) return false;
    for (const { session } of this.#members) session.output.passSlot();
    return true;
  }

  #linkRelay(): void {
    const relayed = this.#members.length === 2 && this.#members.every(({ mode }) => mode === 'relay');
    this.#relays = relayed;
    const [first, second] = this.#members;
    for (const { session } of this.#members) {
      const other = session === first?.session ? second : first;
      const passes = relayed && !session.stay?.muted && !other?.session.stay?.deaf;
      session.relayTo(passes ? other?.session.output : undefined);
    }
  }
}

function isNeverRecorded({ session }: Member): boolean {
  return session.stay?.policy === 'never';
}

const silentFrames = new Map<AudioRateHz, Int16Array>();

function silence(rateHz: AudioRateHz): Int16Array {
  let frame = silentFrames.get(rateHz);
  if (!frame) silentFrames.set(rateHz, (frame = new Int16Array(slotSamplesAt(rateHz))));
  return frame;
}
