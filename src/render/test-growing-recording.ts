import type { OpenSegment } from '../spool/producer.ts';
import type { PacketRecord, PauseBehaviour, SpoolRecord, TrackSide } from '../spool/records.ts';
import { TestSpool, testParty } from '../spool/test-spool.ts';

export interface TestTalk {
  trackId: string;
  side?: TrackSide;
  records: SpoolRecord[];
  joinUs?: number;
  leaveUs?: number;
}

export interface TestPause {
  fromUs: number;
  toUs: number;
  behaviour: PauseBehaviour;
}

/** A recording that is spooled along with a clock; each track in two segments. For tests only. */
export class TestGrowingRecording {
  readonly spool: TestSpool;
  /** Hex digits. */
  readonly recordingId: string;
  readonly #conversationId: string;
  readonly #segmentBase: number;
  readonly #rateHz: number;
  readonly #steps: { atUs: number; run(): void }[] = [];
  #nextStep = 0;

  constructor(
    talks: readonly TestTalk[],
    pauses: readonly TestPause[] = [],
    { spool = new TestSpool(), recordingId = 'A', conversationId = 'room', rateHz = 8000 } = {},
  ) {
    this.spool = spool;
    this.recordingId = recordingId;
    this.#conversationId = conversationId;
    this.#segmentBase = Number.parseInt(recordingId, 16) * 4096;
    this.#rateHz = rateHz;
    spool.startRecording(recordingId, { conversationId, rateHz });
    for (const [index, talk] of talks.entries()) this.#addTalk(talk, index, conversationId, pauses);
    for (const { fromUs, toUs, behaviour } of pauses) {
      const pause = { type: 'pause', atSample: sampleAt(fromUs, rateHz), behaviour } as const;
      this.#at(fromUs, () => spool.producer.append(recordingId, pause));
      const resume = { type: 'resume', atSample: sampleAt(toUs, rateHz) } as const;
      this.#at(toUs, () => spool.producer.append(recordingId, resume));
    }
    this.#steps.sort((a, b) => a.atUs - b.atUs);
  }

  /** Spools what happened until then, and lets the writer have it. */
  until(timeUs: number): void {
    for (let next = this.#steps[this.#nextStep]; next && next.atUs <= timeUs; ) {
      next.run();
      next = this.#steps[++this.#nextStep];
    }
    this.spool.pump();
  }

  /** As the worker does before a growing recording is read. */
  settle(): void {
    this.spool.writer.settleConversation(this.#conversationId);
  }

  end(atUs: number, trim?: { fromSample: number; toSample: number }): void {
    this.until(atUs);
    const { recordingId, spool } = this;
    spool.producer.append(recordingId, {
      ...{ type: 'end', atSample: sampleAt(atUs, this.#rateHz), endedUnixMs: 30, reason: 'stopped' },
      ...(trim && { trim }),
    });
    spool.producer.finishRecording(recordingId);
    for (let turn = 0; turn < 3; turn += 1) spool.pump();
    this.settle();
  }

  #at(atUs: number, run: () => void): void {
    this.#steps.push({ atUs, run });
  }

  #addTalk(
    { trackId, side = 'said', records, joinUs = 0, leaveUs = 0 }: TestTalk,
    index: number,
    conversationId: string,
    pauses: readonly TestPause[],
  ): void {
    const { spool, recordingId } = this;
    const { producer } = spool;
    const startSample = sampleAt(joinUs, this.#rateHz);
    const party = { ...testParty, connectionId: `connection-${trackId}` };
    let handle: OpenSegment;
    const openSegment = (part: number): void => {
      const segmentId = (this.#segmentBase + index * 16 + part).toString(16).padStart(16, '0');
      const wants = [{ recordingId, startSample }];
      handle = producer.openSegment({ segmentId, conversationId, trackId, wants });
      for (const record of records) if (record.kind === 'format') producer.format(handle, record, 0);
    };
    this.#at(joinUs, () => {
      producer.append(recordingId, { type: 'track', trackId, side, startSample, party });
      openSegment(0);
    });
    const middleUs = (joinUs + leaveUs) / 2;
    this.#at(middleUs, () => {
      producer.closeSegment(handle);
      openSegment(1);
    });
    for (const record of records) {
      if (record.kind === 'packet' && !isPaused(record, pauses) && record.arrivalUs >= joinUs)
        this.#at(record.arrivalUs, () => {
          const { sequenceNumber, rtpTime, arrivalUs, payload } = record;
          producer.packet(handle, sequenceNumber, rtpTime, arrivalUs, payload);
        });
    }
    this.#at(leaveUs, () => {
      producer.closeSegment(handle);
      const endSample = sampleAt(leaveUs, this.#rateHz);
      producer.append(recordingId, {
        ...{ type: 'track-end', trackId, endSample, packets: 1, overflowPackets: 0 },
      });
    });
  }
}

export function sampleAt(timeUs: number, rateHz = 8000): number {
  return Math.round((timeUs * rateHz) / 1_000_000);
}

function isPaused({ arrivalUs }: PacketRecord, pauses: readonly TestPause[]): boolean {
  return pauses.some(({ fromUs, toUs }) => arrivalUs >= fromUs && arrivalUs < toUs);
}
