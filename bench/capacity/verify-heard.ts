import type { HeardStream } from './heard-stream.ts';
import { findLeads, isHeardAs, type Leads, type Party, type Said } from './heard-sum.ts';
import { packetSamples } from './stream-audio.ts';

/** One of a conference, and what it should have been sent. */
export interface Participant {
  heard: HeardStream;
  /** Undefined: digital silence, or nothing at all. */
  said: Said;
  /** Whether it sends packets. */
  sends: boolean;
}

/** Of one participant. */
export interface HeardFindings {
  /** Slots of which no packet came to it. */
  unheardPackets: number;
  /** Packets that are not, sample by sample, the sum of all others. */
  wrongPackets: number;
}

export interface ConferenceHeard {
  /** Of each participant. */
  participants: HeardFindings[];
  /** From when a packet was to be sent until it was heard, of whoever was heard last. */
  heardAfterMs: number;
}

const slotUs = 20_000;
/** So many slots tell the playout delays. */
const searchedSlots = 50;
/** Playout delays change now and then. What so many searches in a row do not explain is something else, for a while. */
const vainSearches = 4;
const resignedSlots = 100;
const mostSearches = 100;
/** What one hears tells of all others, what another one hears tells of that one. */
const witnesses = 2;

/**
 * Holds what the participants of a conference heard to what they said: in every slot of 20 ms everybody is to be sent
 * the sum of all others, as G.711 has it, without its own voice. A playout delay may change, which is found out; the
 * slot in which it does is wrong where it is no sum.
 * @param packets that each was to hear from the beginning of listening
 */
export function verifyHeard(participants: readonly Participant[], packets: number): ConferenceHeard {
  const hearing = new Hearing(participants);
  hearing.check();
  return {
    participants: participants.map((_, index) => ({
      unheardPackets: hearing.unheard(index, packets),
      wrongPackets: hearing.wrongPackets[index]!,
    })),
    heardAfterMs: hearing.heardAfterMs,
  };
}

class Hearing {
  readonly wrongPackets: number[];
  heardAfterMs = 0;
  readonly #participants: readonly Participant[];
  readonly #parties: Party[];
  /** When slot 0 was heard: the first one that anybody heard. */
  readonly #beginUs: number;
  readonly #lastSlot: number;
  readonly #sum = new Int32Array(packetSamples);
  #leads: Leads;
  #searches = 0;
  #vainSearches = 0;
  #resignedUntil = 0;

  constructor(participants: readonly Participant[]) {
    this.#participants = participants;
    this.wrongPackets = participants.map(() => 0);
    this.#leads = participants.map(() => undefined);
    const begins = participants.map(({ heard }) => beginUs(heard));
    this.#beginUs = Math.min(...begins);
    this.#parties = participants.map(({ heard, said }, index) => ({
      ...{ heard, said },
      places: this.#placesOf(index, Math.round((begins[index]! - this.#beginUs) / slotUs)),
    }));
    this.#lastSlot = this.#parties.reduce((last, { places }) => Math.max(last, ...places.keys()), -1);
  }

  /** Of those that were to come: what lies at a border of listening may do so on either side. */
  unheard(index: number, packets: number): number {
    if (!this.#participants.some(({ sends }, other) => sends && other !== index)) return 0;
    let unheard = 0;
    for (let slot = 1; slot < packets - 1; slot++) if (!this.#parties[index]!.places.has(slot)) unheard++;
    return unheard;
  }

  check(): void {
    // Some may have begun with the one behind the first.
    this.#takeLeads(this.#search(1) ?? this.#leads);
    for (let slot = 0; slot <= this.#lastSlot; slot++) {
      const wrong = this.#wrongIn(slot, this.#leads);
      // What goes on as before behind one slot was no other delay.
      const goesOn = wrong.length > 0 && this.#wrongIn(slot + 1, this.#leads).length > 0;
      for (const index of goesOn ? this.#explained(slot, wrong) : wrong) this.wrongPackets[index]!++;
    }
  }

  /** @returns what is still wrong in a slot once the playout delays are known anew from there on */
  #explained(slot: number, wrong: number[]): number[] {
    if (slot < this.#resignedUntil) return wrong;
    const leads = this.#search(slot);
    const wrongInBoth = (of: Leads) => this.#wrongIn(slot, of).length + this.#wrongIn(slot + 1, of).length;
    if (leads && wrongInBoth(leads) < wrongInBoth(this.#leads)) {
      this.#takeLeads(leads);
      this.#vainSearches = 0;
      return this.#wrongIn(slot, leads);
    }
    if (++this.#vainSearches % vainSearches === 0) this.#resignedUntil = slot + resignedSlots;
    return wrong;
  }

  /** Of each slot where its packet lies; packets at odd times, and second ones, are wrong. */
  #placesOf(index: number, firstSlot: number): Map<number, number> {
    const { heard } = this.#participants[index]!;
    const places = new Map<number, number>();
    for (let place = 0; place < heard.rtpTime.length; place++) {
      const slot = firstSlot + slotsBehindFirst(heard, place);
      if (Number.isInteger(slot) && !places.has(slot)) places.set(slot, place);
      else this.wrongPackets[index]!++;
    }
    return places;
  }

  /** @returns as far as they are found from this slot on */
  #search(first: number): Leads | undefined {
    if (this.#searches >= mostSearches) return undefined;
    const count = Math.min(searchedSlots, this.#lastSlot + 1 - first);
    const slots = { first, count, atUs: this.#beginUs + first * slotUs };
    let leads = this.#leads;
    let told = 0;
    for (let i = 0; i < this.#parties.length && told < witnesses && count > 0; i++) {
      // Another one each time: it may be who is sent what is wrong.
      const found = findLeads(this.#parties, (this.#searches + i) % this.#parties.length, slots, leads);
      if (!found) continue;
      leads = found;
      told++;
    }
    this.#searches++;
    return told > 0 ? leads : undefined;
  }

  #takeLeads(leads: Leads): void {
    this.#leads = leads;
    for (const [index, { said, heard }] of this.#parties.entries()) {
      const lead = leads[index];
      if (!said || lead === undefined) continue;
      const dueUs = heard.dueUs + (lead - heard.nextPacket) * slotUs;
      this.heardAfterMs = Math.max(this.heardAfterMs, (this.#beginUs - dueUs) / 1000);
    }
  }

  /** @returns whose packets in this slot are not the sum of all others */
  #wrongIn(slot: number, leads: Leads): number[] {
    const sum = this.#sum.fill(0);
    const own: (Int16Array | undefined)[] = [];
    let isKnown = true;
    for (const [index, { said }] of this.#parties.entries()) {
      const lead = leads[index];
      if (said && lead === undefined) isKnown = false;
      const samples = said && lead !== undefined ? said(slot + lead, 1) : undefined;
      own.push(samples);
      if (samples) for (let i = 0; i < packetSamples; i++) sum[i] = sum[i]! + samples[i]!;
    }
    const wrong: number[] = [];
    for (const [index, { heard, places }] of this.#parties.entries()) {
      const place = places.get(slot);
      if (place === undefined) continue;
      const payload = heard.payloads.subarray(place * packetSamples, (place + 1) * packetSamples);
      if (!isKnown || !isHeardAs(sum, own[index], payload)) wrong.push(index);
    }
    return wrong;
  }
}

/** When its first packet was heard, by the one that came soonest; infinite where there is none. */
function beginUs(heard: HeardStream): number {
  let begin = Number.POSITIVE_INFINITY;
  for (let place = 0; place < heard.atUs.length; place++)
    begin = Math.min(begin, heard.atUs[place]! - slotsBehindFirst(heard, place) * slotUs);
  return begin;
}

function slotsBehindFirst({ rtpTime }: HeardStream, place: number): number {
  return ((rtpTime[place]! - rtpTime[0]!) | 0) / packetSamples;
}
