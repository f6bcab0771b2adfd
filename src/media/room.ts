import { type AudioRateHz, audioRatesHz, isStateless, maxSlotSamples, slotSamplesAt } from './codec-table.ts';
import type { NegotiatedCodec, RoomMode } from './control.ts';
import type { LegOutput } from './leg-output.ts';
import type { MediaSession } from './media-session.ts';
import type { MixedPath } from './mixed-path.ts';
import { RestingRoom } from './resting-room.ts';
import { MixParty, type PartySlot, RoomMix } from './room-mix.ts';
import { type SharedEncoding, SharedEncodings } from './shared-encodings.ts';
import { SlotCount } from './slot-count.ts';

interface Member {
  readonly session: MediaSession;
  readonly mode: RoomMode;
  party: MixParty;
  /** In the mix without those who must not be recorded. */
  recordable: MixParty;
  /** In the mix that is being faded out. */
  former: MixParty | undefined;
  /** By which it brings and takes slots, while that is open. */
  mixed: MixedPath | undefined;
  /** What it said in this slot came by that. */
  isFast: boolean;
}

/** Filters hold nothing any more of who said nothing for so long. */
const settledSlots = 3;
/** Of what takes the fast path. */
const fastRateHz = 8000;
/** Who is alone in a room needs no encoder beside its own. */
const sharingMembers = 2;
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
  /** Of this slot: who may be sent what others are sent too, by a codec with a memory. */
  readonly #together: Member[] = [];
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
      ...{ former: undefined, mixed: undefined, isFast: false },
    });
    this.withhold();
    this.#linkRelay();
    // To the one who came it was not said: what is relayed is all of the other one that is heard, and nothing made up.
    if (this.#relays) for (const each of this.#members) each.session.forgetWaiting();
  }

  remove(session: MediaSession): void {
    const index = this.#members.findIndex((member) => member.session === session);
    if (index < 0) return;
    this.#wake();
    this.#members.splice(index, 1);
    if (this.#members.length === 0) this.forgetAudio();
    session.relayTo(undefined);
    session.output.encoding?.leave();
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
    this.#together.length = 0;
    for (const member of this.#members) {
      member.isFast = this.#addFast(member);
      if (!member.isFast) this.#addSlot(member, former);
    }
    for (const member of this.#members) {
      if (member.isFast) this.#sendFast(member);
      else this.#sendSlot(member, former);
    }
    this.#sendTogether(former);
    if (former) for (const member of this.#members) member.former = undefined;
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
    for (const member of this.#members) {
      const { mixed, session } = member;
      if (!mixed?.isOpen && session.playout.frame && !session.stay?.muted) member.mixed = session.mix();
    }
  }

  #addFast({ mixed, party, session }: Member): boolean {
    if (!mixed?.isOpen) return false;
    if (mixed.addTo(this.#mix, party)) return true;
    session.fast.wake();
    return false;
  }

  #sendFast(member: Member): void {
    const { mixed, party, session } = member;
    if (mixed?.isOpen) mixed.send(this.#mix);
    else {
      // It was woken by what was sent before.
      party.frame = session.playout.frame!;
      this.#sendSlot(member, undefined);
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
      member.party.hasSpoken = member.former.hasSpoken;
    }
  }

  #sendSlot(member: Member, former: RoomMix | undefined): void {
    const { session } = member;
    const { output } = session;
    const format = output.beginSlot();
    if (!format) output.encoding?.leave();
    else if (session.stay?.deaf) output.sendSilence();
    else if (output.playing || !member.party.hearsAll(!former && output.rateHz === this.#mix.rateHz))
      this.#sendOwn(member, former);
    else if (!isStateless(format.codec) && this.#mayShare(output)) this.#together.push(member);
    else if (isStateless(format.codec) && !former) this.#sendEncoded(output, format);
    else this.#sendOwn(member, former);
  }

  #mayShare({ takesEncoded }: LegOutput): boolean {
    return takesEncoded && !this.#relays && this.#members.length >= sharingMembers;
  }

  #sendOwn(member: Member, former: RoomMix | undefined): void {
    const { output } = member.session;
    const samples = this.#heardBy(member, former);
    if (samples) output.sendSamples(samples);
    else output.sendSilence();
  }

  #sendEncoded(output: LegOutput, format: NegotiatedCodec): void {
    const samples = this.#mix.sharedSamples(output.rateHz);
    const encodings = this.#encodings;
    if (samples) output.sendSlot(encodings.encode(encodings.of(output.encodingKey, format), samples));
    else output.sendSilence();
  }

  /** Behind all others: whoever left a shared encoding has taken its state along, and it may have another slot. */
  #sendTogether(former: RoomMix | undefined): void {
    // It goes on for those whom it served, and for those who were served by none.
    for (const member of this.#together) {
      const shared = this.#sharedBy(member);
      const encoding = member.session.output.encoding!;
      if (!encoding.isFresh && !encoding.follows(shared)) continue;
      if (!this.#encodings.goesOn(shared)) shared.encoder.copyState?.(encoding.encoder);
      this.#sendShared(member, shared, former);
    }
    for (const member of this.#together) {
      const shared = this.#sharedBy(member);
      const encoding = member.session.output.encoding!;
      if (encoding.follows(shared)) continue;
      const isNobodys = !this.#encodings.hasSlot(shared);
      if (isNobodys) shared.encoder.copyState?.(encoding.encoder);
      if (isNobodys || encoding.mayFollow(shared)) this.#sendShared(member, shared, former);
      else this.#sendOwn(member, former);
    }
  }

  #sharedBy({ session: { output } }: Member): SharedEncoding {
    return this.#encodings.of(output.encodingKey, output.format!);
  }

  #sendShared(member: Member, shared: SharedEncoding, former: RoomMix | undefined): void {
    const { output } = member.session;
    const samples = this.#heardBy(member, former) ?? silence(output.rateHz);
    output.encoding!.follow(shared);
    output.sendSlot(this.#encodings.encode(shared, samples));
  }

  /** @returns undefined for silence; else valid until the next call */
  #heardBy(member: Member, former: RoomMix | undefined): Int16Array | undefined {
    const { output } = member.session;
    if (former) return this.#fadedFor(member, former);
    return this.#mix.samplesFor(member.party, output.rateHz);
  }

  /** The one slot from a mix to its successor at another rate. */
  #fadedFor({ session: { output }, party, former: formerParty }: Member, former: RoomMix): Int16Array {
    const { rateHz } = output;
    const out = faded.subarray(0, slotSamplesAt(rateHz));
    const from = former.samplesFor(formerParty!, rateHz);
    const to = this.#mix.samplesFor(party, rateHz);
    for (let i = 0; i < out.length; i++) {
      const before = from ? from[i]! : 0;
      const after = to ? to[i]! : 0;
      out[i] = before + ((after - before) * i) / out.length;
    }
    return out;
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
