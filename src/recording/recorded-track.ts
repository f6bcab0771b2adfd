import type { CapturedPacket } from '../media/capture-sink.ts';
import { type TrackPacket, TrackPlacer } from '../timeline/track-placer.ts';

/** One stay in one recording: how many packets it got, and up to which sample. */
export class RecordedTrack {
  readonly trackId: string;
  readonly startSample: number;
  readonly #placer: TrackPlacer<TrackPacket>;
  readonly #packet: TrackPacket = { sequenceNumber: 0, rtpTime: 0, arrivalUs: 0, durationTicks: 0 };
  #packets = 0;
  #overflowPackets = 0;

  constructor(trackId: string, startSample: number, rateHz: number) {
    this.trackId = trackId;
    this.startSample = startSample;
    this.#placer = new TrackPlacer({ rateHz, startSample }, () => {});
  }

  get packets(): number {
    return this.#packets;
  }

  get overflowPackets(): number {
    return this.#overflowPackets;
  }

  /** End of the last packet, where no more follow. */
  get mediaEndSample(): number {
    this.#placer.finish();
    return this.#placer.timeline.endSample;
  }

  format(packet: Pick<CapturedPacket, 'codec' | 'clockRateHz' | 'ssrc'>): void {
    this.#placer.format(packet);
  }

  /** @param arrivalUs on the room's clock */
  place(sequenceNumber: number, rtpTime: number, arrivalUs: number, durationTicks: number): void {
    this.#packets++;
    const packet = this.#packet;
    packet.sequenceNumber = sequenceNumber;
    packet.rtpTime = rtpTime;
    packet.arrivalUs = arrivalUs;
    packet.durationTicks = durationTicks;
    this.#placer.offer(packet);
  }

  lose(packets: number): void {
    this.#overflowPackets += packets;
  }
}
