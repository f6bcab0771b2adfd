import { writeSync } from 'node:fs';
import type { Stay } from '../media/capture-sink.ts';
import { newRecordingKey } from '../spool/keys.ts';
import { TestSpool, testParty } from '../spool/test-spool.ts';
import { Capture } from './capture.ts';
import { Recordings } from './recordings.ts';

/**
 * A process that records as fast as it can, on a clock of its own, until it is killed: the writer takes a turn every
 * 60 ms of that clock. After each 20 ms it says the number of that slot. For the test of recovery only.
 */
const legs = 6;
const spool = new TestSpool({
  dataDirectory: process.argv[2]!,
  timing: { rotateAfterUs: 1_000_000, settleBytes: 8192 },
});
const { clock, producer } = spool;
const capture = new Capture({ spool: producer, clock });
const recordings = new Recordings({ capture, spool: producer, emit: () => undefined });

for (const recordingId of ['A', 'B']) {
  const key = newRecordingKey(spool.masterKey, recordingId);
  const ids = { recordingId, roomId: 'room', accountId: 'account' };
  const start = { verb: 'recording.start', ...ids, rateHz: 8000, key, meta: {} } as const;
  recordings.start(start, clock.monotonicUs());
}
const stays = Array.from({ length: legs }, (_, leg): Stay => {
  const trackId = `t${leg}`;
  return { trackId, roomId: 'room', legId: trackId, policy: 'follow', party: testParty };
});
for (const stay of stays) capture.stayOpened(stay, clock.monotonicUs());
spool.pump();

for (let slot = 0; ; slot++) {
  const payload = new Uint8Array(160).fill(slot);
  const packet = { codec: 'PCMU', payloadType: 0, clockRateHz: 8000, ssrc: 1, payload } as const;
  for (const stay of stays)
    capture.packet(stay, {
      ...packet,
      sequenceNumber: slot & 0xffff,
      rtpTime: slot * 160,
      arrivalUs: clock.monotonicUs(),
    });
  writeSync(1, `${slot}\n`);
  if (slot % 50 === 20) recordings.pause('B', 'skip', clock.monotonicUs());
  if (slot % 50 === 45) recordings.resume('B', clock.monotonicUs());
  clock.advanceMs(20);
  if (slot % 3 === 2) spool.pump();
}
