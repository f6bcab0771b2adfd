import type { CapturedPacket, FastPathUser } from '../media/capture-sink.ts';
import type { ManifestTrack } from '../spool/records.ts';
import type { ClockReport } from '../timeline/clock-report.ts';
import type { PacketSeries } from '../timeline/packet-series.ts';
import type { Placement } from '../timeline/placement.ts';
import { type TrackPacket, TrackPlacer } from '../timeline/track-placer.ts';
import { TrackTimeline } from '../timeline/track-timeline.ts';

/** Takes decoded audio at its place in a recording. */
export interface TrackListener {
  /** @param samples at `voiceRateHz` */
  hear(atSample: number, samples: Int16Array): void;
}

type TrackOpening = Pick<ManifestTrack, 'trackId' | 'startSample' | 'side'>;

/** What lies further ahead of the clock, behind the burst after a stall, was said now for who listens. */
const maxLiveLeadUs = 250_000;
/** Of so many packets it is known where they were heard: more than wait for their place. A power of two. */
const heardPackets = 1024;
/** How often what was heard lies in another place than before. */
const maxShifts = 256;

/** So many packets are placed at once: what that needs is read from memory once for all of them. A power of two. */
const gatheredPackets = 16;
const numbersPerPacket = 4;

/** One stay in one recording: how many packets it got, and up to which sample. */
export class RecordedTrack {
  readonly trackId: string;
  readonly startSample: number;
  /** Whoever decides by what is said in it. */
  readonly listener: TrackListener | undefined;
  /** Where packets lie as far as is known at once: who listens can not wait. */
  readonly #live: TrackTimeline | undefined;
  /** By sequence number, where it was heard. */
  readonly #heardAt: Int32Array | undefined;
  /** From `heardSample` on, what was heard lies so much earlier. */
  readonly #shifts: { heardSample: number; samples: number }[] = [];
  readonly #placer: TrackPlacer<TrackPacket>;
  readonly #packet: TrackPacket = { sequenceNumber: 0, rtpTime: 0, arrivalUs: 0, durationTicks: 0 };
  readonly #rateHz: number;
  /** Packets that are still to be placed: sequence number, RTP time, arrival and length of each. */
  readonly #gathered = new Float64Array(gatheredPackets * numbersPerPacket);
  #gatheredCount = 0;
  /** 1 where somebody listens; tracks that begin together do not all place theirs in the same tick. */
  #room: number;
  /** May have packets that it was not told of. */
  user: FastPathUser | undefined;
  #packets = 0;
  #overflowPackets = 0;

  constructor({ trackId, startSample, side }: TrackOpening, rateHz: number, listener?: TrackListener) {
    this.trackId = trackId;
    this.#rateHz = rateHz;
    this.listener = listener;
    this.startSample = startSample;
    this.#placer = new TrackPlacer(
      { rateHz, startSample, isOurs: side === 'heard' },
      (packet, { atSample }) => this.#shift(packet, atSample),
    );
    this.#room = 1 + ((trackId.charCodeAt(trackId.length - 1) || 0) & (gatheredPackets - 1));
    if (!listener) return;
    this.#room = 1;
    this.#live = new TrackTimeline({ rateHz, startSample });
    this.#heardAt = new Int32Array(heardPackets).fill(-1);
  }

  get packets(): number {
    this.user?.settle();
    return this.#packets;
  }

  get overflowPackets(): number {
    return this.#overflowPackets;
  }

  /** End of the last packet, where no more follow. */
  get mediaEndSample(): number {
    this.#catchUp();
    this.#placer.finish();
    return this.#placer.timeline.endSample;
  }

  format(packet: Pick<CapturedPacket, 'codec' | 'clockRateHz' | 'ssrc'>): void {
    this.#catchUp();
    this.#placer.format(packet);
    this.#live?.format(packet);
  }

  /** What the sender says of its clocks. @param report its arrival is on the room's clock */
  report(report: ClockReport): void {
    this.#catchUp();
    this.#placer.report(report);
    this.#live?.report(report);
  }

  /** End of what has its place for good. */
  get placedTo(): number {
    this.#catchUp();
    return this.#placer.timeline.endSample;
  }

  /**
   * @param arrivalUs on the room's clock
   * @returns where it lies for who listens; undefined where nobody does, or for a duplicate
   */
  place(
    sequenceNumber: number,
    rtpTime: number,
    arrivalUs: number,
    durationTicks: number,
  ): Placement | undefined {
    this.#packets++;
    const placement = this.#live?.place(sequenceNumber, rtpTime, arrivalUs, durationTicks);
    if (placement && this.#heardAt) this.#heardAt[sequenceNumber % heardPackets] = placement.atSample;
    this.#gather(sequenceNumber, rtpTime, arrivalUs, durationTicks);
    if (!placement) return undefined;
    const nowSample = Math.round((arrivalUs * this.#rateHz) / 1_000_000);
    if (placement.atSample <= nowSample + (maxLiveLeadUs * this.#rateHz) / 1_000_000) return placement;
    return { ...placement, atSample: nowSample };
  }

  /** As `place`, of packets that go on with each other, where nobody listens. */
  placeSeries(series: PacketSeries): void {
    this.#packets += series.count;
    this.#placeGathered();
    const packet = this.#packet;
    packet.durationTicks = series.payloadBytes;
    for (let next = 0; next < series.count; next++) {
      next += this.#placer.offerSeries(series, next);
      if (next >= series.count) return;
      packet.sequenceNumber = (series.sequenceNumber + next) & 0xffff;
      packet.rtpTime = (series.rtpTime + next * series.payloadBytes) >>> 0;
      packet.arrivalUs = series.arrivalUs(next);
      this.#placer.offer(packet);
    }
  }

  /** How much before the place where it was heard lies what was heard there, in samples. */
  earlierBy(heardSample: number): number {
    this.#catchUp();
    this.#placer.finish();
    return this.#shifts.findLast((shift) => shift.heardSample <= heardSample)?.samples ?? 0;
  }

  #shift({ sequenceNumber }: TrackPacket, atSample: number): void {
    const heardSample = this.#heardAt?.[sequenceNumber % heardPackets] ?? -1;
    if (heardSample < 0) return;
    const samples = Math.max(0, heardSample - atSample);
    const last = this.#shifts.at(-1)?.samples ?? 0;
    if (samples !== last && this.#shifts.length < maxShifts) this.#shifts.push({ heardSample, samples });
  }

  lose(packets: number): void {
    this.#overflowPackets += packets;
  }

  #catchUp(): void {
    this.user?.settle();
    this.#placeGathered();
  }

  #gather(sequenceNumber: number, rtpTime: number, arrivalUs: number, durationTicks: number): void {
    const gathered = this.#gathered;
    const at = this.#gatheredCount * numbersPerPacket;
    gathered[at] = sequenceNumber;
    gathered[at + 1] = rtpTime;
    gathered[at + 2] = arrivalUs;
    gathered[at + 3] = durationTicks;
    this.#gatheredCount++;
    if (this.#gatheredCount >= this.#room) this.#placeGathered();
  }

  #placeGathered(): void {
    const count = this.#gatheredCount;
    if (count === 0) return;
    const gathered = this.#gathered;
    const packet = this.#packet;
    this.#gatheredCount = 0;
    if (!this.listener) this.#room = gatheredPackets;
    for (let at = 0; at < count * numbersPerPacket; at += numbersPerPacket) {
      packet.sequenceNumber = gathered[at]!;
      packet.rtpTime = gathered[at + 1]!;
      packet.arrivalUs = gathered[at + 2]!;
      packet.durationTicks = gathered[at + 3]!;
      this.#placer.offer(packet);
    }
  }
}
