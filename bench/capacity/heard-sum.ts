import { lawTables, undecidedBits } from '../../src/codec/g711.ts';
import type { HeardStream } from './heard-stream.ts';
import { packetSamples } from './stream-audio.ts';

/** Samples of so many packets from one on; of who is silent, undefined. */
export type Said = ((firstPacket: number, packets: number) => Int16Array) | undefined;

/** A party of a conference: what it says, and what it heard. */
export interface Party {
  said: Said;
  heard: HeardStream;
  /** Of each slot that it heard, where that lies among what it heard. */
  places: ReadonlyMap<number, number>;
}

/** What somebody says in slot `s` of the conference is packet `s + lead` of its stream. */
export type Leads = (number | undefined)[];

const { toLinear, fromLinear } = lawTables.ulaw;
const largest = 32_767;
/** From being due to being heard, a packet takes less. */
const mostSlotsLate = 16;
const mostPasses = 12;
const slotUs = 20_000;

/** Whether a payload is this sum without one's own voice. */
export function isHeardAs(sum: Int32Array, own: Int16Array | undefined, payload: Uint8Array): boolean {
  for (let i = 0; i < payload.length; i++)
    if (heardAs(sum[i]! - (own?.[i] ?? 0)) !== toLinear[payload[i]!]) return false;
  return true;
}

/** As a sum is encoded for who hears it, and decoded again. */
function heardAs(sum: number): number {
  return toLinear[fromLinear[(clipped(sum) & 0xffff) >> undecidedBits]!]!;
}

function clipped(sum: number): number {
  return sum > largest ? largest : sum < -1 - largest ? -1 - largest : sum;
}

/**
 * Which packets of all others a listener hears, from some slot on: the playout delay of each party is its own, and is
 * found out as that by which the sum comes nearest to what was heard.
 * @param atUs when the first of these slots was heard
 * @param before as it was, or as far as it is known
 * @returns undefined where the listener did not hear all these slots
 */
export function findLeads(
  parties: readonly Party[],
  listener: number,
  slots: { first: number; count: number; atUs: number },
  before: Leads,
): Leads | undefined {
  const target = new Int16Array(slots.count * packetSamples);
  const { heard: witness, places } = parties[listener]!;
  for (let i = 0; i < slots.count; i++) {
    const place = places.get(slots.first + i);
    if (place === undefined) return undefined;
    for (let k = 0; k < packetSamples; k++)
      target[i * packetSamples + k] = toLinear[witness.payloads[place * packetSamples + k]!]!;
  }
  const search = new LeadSearch(target);
  const leads = [...before];
  for (const [index, { said, heard }] of parties.entries()) {
    if (index === listener || !said) continue;
    const newest = heard.nextPacket + Math.floor((slots.atUs - heard.dueUs) / slotUs);
    search.add(index, leads, slots, (packet) => said(packet, slots.count), newest);
  }
  search.descend(leads, squaredError);
  search.descend(leads, differences);
  return leads;
}

/** Of samples that are the sum of two, against what was heard; no need to count further than `atMost`. */
type Cost = (rest: Int32Array, own: Int16Array, target: Int16Array, atMost: number) => number;

/** Coordinate descent: of one party after the other the lead that suits best, as long as that changes anything. */
class LeadSearch {
  readonly #target: Int16Array;
  readonly #sum: Int32Array;
  readonly #parties: {
    index: number;
    lead(late: number): number;
    said(late: number): Int16Array;
    late: number;
  }[] = [];

  constructor(target: Int16Array) {
    this.#target = target;
    this.#sum = new Int32Array(target.length);
  }

  /** @param newest packet that may be heard in the first slot */
  add(
    index: number,
    leads: Leads,
    { first }: { first: number },
    said: (packet: number) => Int16Array,
    newest: number,
  ): void {
    const party = {
      ...{ index, late: 0 },
      lead: (late: number) => newest - late - first,
      said: (late: number) => said(newest - late),
    };
    const known = leads[index];
    party.late = known === undefined ? this.#likest(party.said) : newest - first - known;
    this.#addToSum(party.said(party.late), 1);
    this.#parties.push(party);
  }

  descend(leads: Leads, cost: Cost): void {
    for (let pass = 0, changes = 1; pass < mostPasses && changes > 0; pass++) {
      changes = 0;
      for (const party of this.#parties) {
        this.#addToSum(party.said(party.late), -1);
        let best = {
          late: party.late,
          cost: this.#cost(cost, party.said(party.late), Number.POSITIVE_INFINITY),
        };
        for (let late = 0; late < mostSlotsLate && best.cost > 0; late++) {
          const found = this.#cost(cost, party.said(late), best.cost);
          if (found < best.cost) best = { late, cost: found };
        }
        if (best.late !== party.late) changes++;
        party.late = best.late;
        this.#addToSum(party.said(party.late), 1);
      }
    }
    for (const { index, late, lead } of this.#parties) leads[index] = lead(late);
  }

  #cost(cost: Cost, own: Int16Array, atMost: number): number {
    return cost(this.#sum, own, this.#target, atMost);
  }

  #addToSum(samples: Int16Array, sign: 1 | -1): void {
    const sum = this.#sum;
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + sign * samples[i]!;
  }

  /** By correlation with all that is heard. */
  #likest(said: (late: number) => Int16Array): number {
    let best = { late: 0, product: Number.NEGATIVE_INFINITY };
    for (let late = 0; late < mostSlotsLate; late++) {
      const samples = said(late);
      let product = 0;
      let energy = 1;
      for (let i = 0; i < samples.length; i++) {
        product += samples[i]! * this.#target[i]!;
        energy += samples[i]! ** 2;
      }
      product /= Math.sqrt(energy);
      if (product > best.product) best = { late, product };
    }
    return best.late;
  }
}

function squaredError(rest: Int32Array, own: Int16Array, target: Int16Array, atMost: number): number {
  let error = 0;
  for (let i = 0; i < target.length && error < atMost; i++)
    error += (clipped(rest[i]! + own[i]!) - target[i]!) ** 2;
  return error;
}

function differences(rest: Int32Array, own: Int16Array, target: Int16Array, atMost: number): number {
  let different = 0;
  for (let i = 0; i < target.length && different < atMost; i++)
    if (heardAs(rest[i]! + own[i]!) !== target[i]) different++;
  return different;
}
