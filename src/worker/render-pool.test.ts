import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { frame, testStream, testTone } from '../render/test-track.ts';
import { TestSpool, testParty } from '../spool/test-spool.ts';
import { RenderPool } from './render-pool.ts';

const packets = 100;
const lost = 50;
const stream = testStream(testTone(packets * frame, 440, 9000), {
  arrivalUs: (k) => (k === lost ? undefined : k * 20_000),
});

/** A recording of one party, one packet of which was lost. */
function write(spool: TestSpool): void {
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

async function rendered(spool: TestSpool, lossConcealment?: 'on' | 'off'): Promise<Int16Array> {
  const { masterKey, spoolDirectory: spoolDir } = spool;
  const pool = new RenderPool({
    threads: 1,
    spoolDir,
    masterKey,
    ...(lossConcealment && { lossConcealment }),
  });
  try {
    const rendition = await pool.open({
      conversationId: 'room',
      recordingId: 'rec',
      kind: 'channel',
      trackId: 'a',
      format: 'wav',
    });
    const chunks = await Array.fromAsync(rendition.read(0, rendition.head.byteLength - 1));
    rendition.release();
    return pcm16Samples(parseWav(Buffer.concat(chunks)).data);
  } finally {
    await pool.close();
  }
}

test('a lost packet is concealed, or silence where the files are to hold what was received alone', async () => {
  const spool = new TestSpool();
  try {
    write(spool);
    const expected = stream.decoded.slice().fill(0, lost * frame, (lost + 1) * frame);
    assert.deepEqual(await rendered(spool, 'off'), expected);
    for (const concealed of [await rendered(spool, 'on'), await rendered(spool)]) {
      const gap = concealed.subarray(lost * frame, (lost + 1) * frame);
      assert.ok(
        gap.some((sample) => Math.abs(sample) > 1000),
        'the gap is filled',
      );
    }
  } finally {
    spool.remove();
  }
});
