import { type TestSpool, testParty } from '../spool/test-spool.ts';
import { frame, testStream, testTone } from './test-track.ts';

const packets = 100;
const lost = 50;
const stream = testStream(testTone(packets * frame, 440, 9000), {
  arrivalUs: (k) => (k === lost ? undefined : k * 20_000),
});

/** Where the packet is missing: [from, to) in samples. */
export const lostSpan = [lost * frame, (lost + 1) * frame] as const;
/** What the file of the channel holds where losses are not concealed. */
export const lossyChannelWithSilence = stream.decoded.slice().fill(0, ...lostSpan);

/** For tests only: the recording `rec` of the party `a`, one packet of which was lost. */
export function writeLossyRecording(spool: TestSpool): void {
  const { producer } = spool;
  spool.startRecording('rec');
  producer.append('rec', { type: 'track', trackId: 'a', startSample: 0, party: testParty });
  const segment = producer.openSegment({
    segmentId: '0000000000000000',
    conversationId: 'room',
    trackId: 'a',
    wants: [{ recordingId: 'rec', startSample: 0 }],
  });
  for (const record of stream.records) {
    if (record.kind === 'format') producer.format(segment, record, 0);
    if (record.kind === 'packet')
      producer.packet(segment, record.sequenceNumber, record.rtpTime, record.arrivalUs, record.payload);
  }
  producer.closeSegment(segment);
  const endSample = packets * frame;
  producer.append('rec', { type: 'track-end', trackId: 'a', endSample, packets, overflowPackets: 0 });
  producer.append('rec', { type: 'end', atSample: endSample, endedUnixMs: 1, reason: 'stopped' });
  producer.finishRecording('rec');
  spool.pump();
  spool.writer.settleConversation('room');
}
