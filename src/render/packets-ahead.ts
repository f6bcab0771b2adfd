import type { GrowingTrack, TrackPlace } from '../spool/growing-recording.ts';
import type { FormatRecord } from '../spool/records.ts';
import type { Placement } from '../timeline/placement.ts';
import { newReadPacket, noFormat, type ReadPacket, readInto } from './read-packet.ts';

export type PlacedPacket = ReadPacket & Placement;

/** Of a track that is being read: where it was behind a packet that arrived then. */
export interface PassedPlace {
  arrivalUs: number;
  place: TrackPlace;
  format: FormatRecord | undefined;
}

/** Of each packet: when it arrived, its sequence number, where it lies, and how long it is. */
const numbersEach = 4;

/**
 * Packets that have their place, behind what was read so far. Kept is where they are to be read again, as they are
 * seldom wanted: themselves, they would be a quarter of what is kept of a track.
 */
export class PacketsAhead {
  readonly endSample: number;
  readonly isDecodedAlone: boolean;
  readonly #from: PassedPlace | undefined;
  readonly #numbers: readonly number[];
  readonly #whole: PlacedPacket[];

  /**
   * @param from a place before most of them, where one is known
   * @param isDecodedAlone nothing of them is needed to decode what follows
   */
  constructor(packets: PlacedPacket[], from: PassedPlace | undefined, isDecodedAlone: boolean) {
    this.endSample = packets.reduce(
      (end, { atSample, durationSamples }) => Math.max(end, atSample + durationSamples),
      Number.NEGATIVE_INFINITY,
    );
    this.isDecodedAlone = isDecodedAlone;
    this.#from = from;
    const isBehind = from !== undefined && packets.every(({ arrivalUs }) => arrivalUs > from.arrivalUs);
    this.#whole = isBehind ? [] : withTheirOwn(packets);
    const numbersOf = ({ arrivalUs, sequenceNumber, atSample, durationSamples }: PlacedPacket) => {
      return [arrivalUs, sequenceNumber, atSample, durationSamples];
    };
    this.#numbers = isBehind ? packets.flatMap(numbersOf) : [];
  }

  /** All of them as they were, in their order; the track stays where it is. @throws CallreelError SPOOL_CORRUPT */
  read(track: GrowingTrack): PlacedPacket[] {
    if (!this.#from || this.#numbers.length === 0) return this.#whole;
    const here = track.place;
    const packets: PlacedPacket[] = [];
    track.goTo(this.#from.place);
    track.fromUs = 0;
    track.untilUs = this.#newestUs() + 1;
    let { format } = this.#from;
    for (let next = track.next(); !next.done; next = track.next()) {
      const record = next.value;
      if (record.kind === 'format') format = { ...record };
      if (record.kind !== 'packet') continue;
      const index = this.#indexOf(record.arrivalUs, record.sequenceNumber);
      if (index < 0 || packets[index]) continue;
      const atSample = this.#numbers[numbersEach * index + 2]!;
      const durationSamples = this.#numbers[numbersEach * index + 3]!;
      const packet = readInto(newReadPacket(), record, format ?? noFormat);
      packets[index] = { ...packet, atSample, durationSamples };
    }
    track.goTo(here);
    return packets.filter((packet) => packet !== undefined);
  }

  #newestUs(): number {
    let newestUs = 0;
    for (let at = 0; at < this.#numbers.length; at += numbersEach)
      newestUs = Math.max(newestUs, this.#numbers[at]!);
    return newestUs;
  }

  #indexOf(arrivalUs: number, sequenceNumber: number): number {
    for (let at = 0; at < this.#numbers.length; at += numbersEach)
      if (this.#numbers[at] === arrivalUs && this.#numbers[at + 1] === sequenceNumber)
        return at / numbersEach;
    return -1;
  }
}

/** Payloads are copied, so that they do not keep all that was read. */
function withTheirOwn(packets: PlacedPacket[]): PlacedPacket[] {
  const bytes = packets.reduce((sum, { payload }) => sum + payload.length, 0);
  const kept = new Uint8Array(bytes);
  let at = 0;
  for (const packet of packets) {
    kept.set(packet.payload, at);
    packet.payload = kept.subarray(at, (at += packet.payload.length));
  }
  return packets;
}
