import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import { openSpool } from '../spool/reader.ts';
import type { SpoolRecord } from '../spool/records.ts';
import { TestSpool, testParty } from '../spool/test-spool.ts';
import { recordingView } from './recording-view.ts';
import { openRendition, type RenditionRequest } from './rendition.ts';
import { frame, testNoise, testStream, testTone } from './test-track.ts';

const end = 500 * frame;
const parties = ['alice', 'bob'];
const streams = [
  testStream(testTone(500 * frame, 440, 9000)),
  testStream(testNoise(500 * frame, 9000), { codec: 'PCMA', ssrc: 2 }),
];

/** Two parties through the real spool, in the order of arrival; each segment is its own track. */
function write(spool: TestSpool, endsInOrder: boolean): void {
  const { producer } = spool;
  spool.startRecording('rec');
  const segments = parties.map((trackId, k) => {
    producer.append('rec', { type: 'track', trackId, startSample: 0, party: testParty });
    const wants = [{ recordingId: 'rec', startSample: 0 }];
    return producer.openSegment({ segmentId: `000000000000000${k}`, conversationId: 'room', trackId, wants });
  });
  const all = streams
    .flatMap(({ records }, k) => records.map((record) => ({ record, segment: segments[k]! })))
    .sort((a, b) => arrivalOf(a.record) - arrivalOf(b.record));
  for (const [index, { record, segment }] of all.entries()) {
    if (record.kind === 'format') producer.format(segment, record, 0);
    if (record.kind === 'packet') {
      producer.packet(segment, record.sequenceNumber, record.rtpTime, record.arrivalUs, record.payload);
    }
    if (index % 200 === 0) spool.pump();
  }
  if (endsInOrder) {
    for (const segment of segments) producer.closeSegment(segment);
    for (const trackId of parties) {
      producer.append('rec', {
        type: 'track-end',
        trackId,
        endSample: end,
        packets: 500,
        overflowPackets: 0,
      });
    }
    producer.append('rec', { type: 'end', atSample: end, endedUnixMs: 1, reason: 'stopped' });
    producer.finishRecording('rec');
  }
  spool.pump();
  spool.writer.settleConversation('room');
}

function arrivalOf(record: SpoolRecord): number {
  return record.kind === 'packet' ? record.arrivalUs : -1;
}

async function pcmOf(
  spool: TestSpool,
  request: RenditionRequest,
): Promise<{ pcm: Int16Array; complete: boolean }> {
  const directory = conversationDirectoryOf(spool.spoolDirectory, 'room');
  const rendition = openRendition(recordingView(openSpool(directory, 'rec', spool.masterKey)), request);
  const bytes = Buffer.concat(await Array.fromAsync(rendition.read()));
  assert.equal(bytes.length, rendition.byteLength);
  return { pcm: pcm16Samples(parseWav(bytes).data), complete: rendition.complete };
}

test('from a real spool: every channel sample is its own party’s decoded payload, the mix their sum', async () => {
  const spool = new TestSpool();
  try {
    write(spool, true);
    for (const [k, trackId] of parties.entries()) {
      const { pcm, complete } = await pcmOf(spool, { kind: 'channel', trackId, format: 'wav' });
      assert.equal(complete, true);
      assert.deepEqual(pcm, streams[k]!.decoded);
    }
    const { pcm } = await pcmOf(spool, { kind: 'mix', format: 'wav' });
    assert.deepEqual(
      pcm,
      streams[0]!.decoded.map((sample, k) => sample + streams[1]!.decoded[k]!),
    );
  } finally {
    spool.remove();
  }
});

test('from a spool that still grows: the beginning of the same', async () => {
  const spool = new TestSpool();
  try {
    write(spool, false);
    const { pcm, complete } = await pcmOf(spool, { kind: 'channel', trackId: 'bob', format: 'wav' });
    assert.equal(complete, false);
    assert.ok(pcm.length > end - 8000 * 3, `${pcm.length} of ${end}`);
    assert.deepEqual(pcm, streams[1]!.decoded.subarray(0, pcm.length));
  } finally {
    spool.remove();
  }
});
