import type { CapturedPacket } from '../media/capture-sink.ts';
import { type Placement, TrackTimeline } from '../timeline/track-timeline.ts';

/** Takes decoded audio at its place in a recording. */
export interface TrackListener {
  /** @param samples at `voiceRateHz` */
  hear(atSample: number, samples: Int16Array): void;
}

/** One stay in one recording: how many packets it got, and up to which sample. */
export class RecordedTrack {
  readonly trackId: string;
  readonly startSample: number;
  /** Whoever decides by what is said in it. */
  readonly listener: TrackListener | undefined;
  readonly #timeline: TrackTimeline;
  #packets = 0;
  #overflowPackets = 0;

  constructor(trackId: string, startSample: number, rateHz: number, listener?: TrackListener) {
    this.trackId = trackId;
    this.listener = listener;
    this.startSample = startSample;
    this.#timeline = new TrackTimeline({ rateHz, startSample });
  }

  get packets(): number {
    return this.#packets;
  }

  get overflowPackets(): number {
    return this.#overflowPackets;
  }

  /** End of the last packet. */
  get mediaEndSample(): number {
    return this.#timeline.endSample;
  }

  format(packet: Pick<CapturedPacket, 'codec' | 'clockRateHz' | 'ssrc'>): void {
    this.#timeline.format(packet);
  }

  /** @param arrivalUs on the room's clock */
  place(
    sequenceNumber: number,
    rtpTime: number,
    arrivalUs: number,
    durationTicks: number,
  ): Placement | undefined {
    this.#packets++;
    return this.#timeline.place(sequenceNumber, rtpTime, arrivalUs, durationTicks);
  }

  lose(packets: number): void {
    this.#overflowPackets += packets;
  }
}
