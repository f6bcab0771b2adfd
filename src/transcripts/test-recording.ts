import { newId } from '../ids.ts';
import { frame, testStream, testTone } from '../render/test-track.ts';
import type { TrackSide } from '../spool/records.ts';
import { type TestSpool, testParty } from '../spool/test-spool.ts';

/** One stay of a party, in samples of 8 kHz. */
export interface TestStay {
  trackId: string;
  connectionId: string;
  fromSample: number;
  toSample: number;
  side?: TrackSide;
}

export interface TestRecording {
  recordingId: string;
  conversationId: string;
  stays: readonly TestStay[];
  /** [from, to) of pauses that leave their span out. */
  pauses?: readonly (readonly [number, number])[];
  /** Undefined: it goes on. */
  endSample?: number | undefined;
}

/** For tests only: a recording in the spool, whose parties hum whenever they are there. */
export function writeTestRecording(spool: TestSpool, recording: TestRecording): void {
  const { recordingId, conversationId, stays, pauses = [], endSample } = recording;
  const { producer } = spool;
  spool.startRecording(recordingId, { conversationId });
  for (const [index, { trackId, connectionId, fromSample, toSample, side }] of stays.entries()) {
    const party = { ...testParty, connectionId };
    producer.append(recordingId, {
      ...{ type: 'track', trackId, startSample: fromSample, party },
      ...(side && { side }),
    });
    const wants = [{ recordingId, startSample: fromSample }];
    const segmentId = newId();
    const segment = producer.openSegment({ segmentId, conversationId, trackId, wants });
    const tone = testTone(toSample - fromSample, 300 + 100 * index, 9000);
    const fromUs = fromSample * 125;
    for (const record of testStream(tone, { arrivalUs: (k) => fromUs + k * 20_000 }).records) {
      if (record.kind === 'format') producer.format(segment, record, fromUs);
      if (record.kind === 'packet')
        producer.packet(segment, record.sequenceNumber, record.rtpTime, record.arrivalUs, record.payload);
    }
    producer.closeSegment(segment);
    const packets = (toSample - fromSample) / frame;
    producer.append(recordingId, {
      ...{ type: 'track-end', trackId, endSample: toSample, packets, overflowPackets: 0 },
    });
  }
  for (const [fromSample, toSample] of pauses) {
    producer.append(recordingId, { type: 'pause', atSample: fromSample, behaviour: 'skip' });
    producer.append(recordingId, { type: 'resume', atSample: toSample });
  }
  if (endSample !== undefined) {
    producer.append(recordingId, { type: 'end', atSample: endSample, endedUnixMs: 1, reason: 'stopped' });
    producer.finishRecording(recordingId);
  }
  spool.pump();
  spool.writer.settleConversation(conversationId);
}
