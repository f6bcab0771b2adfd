import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { recoverSpool } from '../recording/recovery.ts';
import { loadMasterKey, newRecordingKey } from '../spool/keys.ts';
import { SpoolProducer } from '../spool/producer.ts';
import { openSpool, readTrack } from '../spool/reader.ts';
import type { ManifestHeader } from '../spool/records.ts';
import { askWriter, startWriterThread, type WriterReport, type WriterThread } from './start-writer.ts';

let dataDirectory: string;
let spoolDirectory: string;
beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'callreel-writer-'));
  spoolDirectory = join(dataDirectory, 'spool');
});
afterEach(() => rmSync(dataDirectory, { recursive: true }));

/** Everything the thread said, and a way to wait for one of it. */
class Reports {
  readonly list: WriterReport[] = [];
  readonly #waiting: { matches(report: WriterReport): boolean; resolve(): void }[] = [];

  constructor({ port }: WriterThread) {
    port.on('message', (report: WriterReport) => {
      this.list.push(report);
      for (const each of this.#waiting) if (each.matches(report)) each.resolve();
    });
  }

  async until(event: WriterReport['event']): Promise<void> {
    if (this.list.some((report) => report.event === event)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ matches: (report) => report.event === event, resolve });
    await promise;
  }
}

function begin(producer: SpoolProducer): ReturnType<SpoolProducer['openSegment']> {
  const { plain, sealed } = newRecordingKey(loadMasterKey(dataDirectory), 'A');
  const ids = { recordingId: 'A', conversationId: 'room', accountId: 'account' };
  const numbers = { version: 1, rateHz: 8000, originUnixMs: 0, startSample: 0 } as const;
  const header: ManifestHeader = { type: 'header', ...ids, ...numbers, sealedKey: sealed, meta: {} };
  producer.startRecording(header, plain);
  const party = { connectionId: 'c', from: '1', to: '2', direction: 'incoming', role: 'caller' } as const;
  producer.append('A', { type: 'track', trackId: 't1', startSample: 0, party });
  const wants = [{ recordingId: 'A', startSample: 0 }];
  const opening = { segmentId: '0000000000000001', conversationId: 'room', trackId: 't1', wants };
  const segment = producer.openSegment(opening);
  producer.format(segment, { codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 1 }, 0);
  return segment;
}

function sequenceNumbers(): number[] {
  const { tracks } = openSpool(join(spoolDirectory, 'room'), 'A', loadMasterKey(dataDirectory));
  return [...readTrack(tracks[0]!)].flatMap((record) =>
    record.kind === 'packet' ? [record.sequenceNumber] : [],
  );
}

/** Of all files of the room, whatever the journal holds besides. */
function spooledBytes(): number {
  const room = join(spoolDirectory, 'room');
  if (!existsSync(room)) return 0;
  return readdirSync(room).reduce((sum, name) => sum + statSync(join(room, name)).size, 0);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

test('what one thread records another puts on disk; settling, ending and draining are answered', async () => {
  const thread = startWriterThread({ spoolDirectory, workerId: 'w', ringBytes: 1 << 20 });
  const reports = new Reports(thread);
  const producer = new SpoolProducer(thread.ring);
  const segment = begin(producer);
  await reports.until('durable');
  for (const number of range(100)) producer.packet(segment, number, 0, 0, Buffer.alloc(160));
  askWriter(thread, { settle: ['nowhere', 'room'], reply: 17 }, { settle: ['nowhere'], reply: 18 });
  await reports.until('settled');
  assert.deepEqual(reports.list.at(-1), { event: 'settled', replies: [17, 18] });
  assert.deepEqual(sequenceNumbers(), range(100));
  producer.packet(segment, 100, 0, 0, Buffer.alloc(160));
  producer.closeSegment(segment);
  producer.append('A', { type: 'end', atSample: 0, endedUnixMs: 0, reason: 'stopped' });
  producer.finishRecording('A');
  await reports.until('ended');
  assert.deepEqual(sequenceNumbers(), range(101));
  askWriter(thread, { drain: true });
  const [code] = await once(thread.worker, 'exit');
  assert.equal(code, 0);
  await reports.until('drained');
  assert.deepEqual(readdirSync(join(spoolDirectory, 'journal')), []);
});

test('the recording side hears how much is not in its files yet', async () => {
  const thread = startWriterThread({ spoolDirectory, workerId: 'w', ringBytes: 1 << 16 });
  const reports = new Reports(thread);
  const producer = new SpoolProducer(thread.ring);
  const segment = begin(producer);
  const packets = range(20);
  for (const number of packets) producer.packet(segment, number, 0, 0, Buffer.alloc(160));
  await reports.until('durable');
  while (producer.unsettledBytes < packets.length * 160) await setImmediate();
  assert.ok(producer.unsettledBytes < producer.unsettledLimitBytes);
  askWriter(thread, { settle: ['room'], reply: 1 });
  while (producer.unsettledBytes > 0) await setImmediate();
  await thread.worker.terminate();
});

test('a drain waits for the recordings that still run', async () => {
  const thread = startWriterThread({ spoolDirectory, workerId: 'w', ringBytes: 1 << 16 });
  const reports = new Reports(thread);
  const producer = new SpoolProducer(thread.ring);
  const segment = begin(producer);
  askWriter(thread, { drain: true });
  await reports.until('durable');
  producer.packet(segment, 0, 0, 0, Buffer.alloc(160));
  producer.closeSegment(segment);
  producer.append('A', { type: 'end', atSample: 0, endedUnixMs: 0, reason: 'stopped' });
  producer.finishRecording('A');
  await once(thread.worker, 'exit');
  await reports.until('drained');
  assert.deepEqual(
    reports.list.map(({ event }) => event).filter((event) => event !== 'durable'),
    ['ended', 'drained'],
  );
  assert.deepEqual(sequenceNumbers(), [0]);
});

test('a process with its threads killed in mid-write leaves a whole prefix', async () => {
  const key = newRecordingKey(loadMasterKey(dataDirectory), 'A');
  const source = `
    import { startWriterThread } from ${JSON.stringify(new URL('./start-writer.ts', import.meta.url).href)};
    import { SpoolProducer } from ${JSON.stringify(new URL('../spool/producer.ts', import.meta.url).href)};
    const thread = startWriterThread(${JSON.stringify({ spoolDirectory, workerId: 'w', ringBytes: 1 << 22 })});
    const producer = new SpoolProducer(thread.ring);
    const ids = { recordingId: 'A', conversationId: 'room', accountId: 'account' };
    producer.startRecording({ type: 'header', version: 1, ...ids, rateHz: 8000, originUnixMs: 0, startSample: 0,
      sealedKey: ${JSON.stringify(key.sealed)}, meta: {} }, ${JSON.stringify(key.plain)});
    const party = { connectionId: 'c', from: '1', to: '2', direction: 'incoming', role: 'caller' };
    producer.append('A', { type: 'track', trackId: 't1', startSample: 0, party });
    const wants = [{ recordingId: 'A', startSample: 0 }];
    const segment = producer.openSegment({ segmentId: '0000000000000001', conversationId: 'room', trackId: 't1', wants });
    producer.format(segment, { codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 1 }, 0);
    let number = 0;
    thread.port.on('message', () => undefined);
    setInterval(() => {
      for (let more = 0; more < 20; more++)
        producer.packet(segment, number & 0xffff, number * 160, number * 20000, Buffer.alloc(160, number++));
    }, 1);`;
  const program = join(dataDirectory, 'recording.mjs');
  writeFileSync(program, source);
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.resume();
  const watching = setInterval(() => {
    if (spooledBytes() > 200 * 200) child.kill('SIGKILL');
  }, 5);
  const [, signal] = await once(child, 'exit');
  clearInterval(watching);
  assert.equal(signal, 'SIGKILL');
  const { finished, failures } = recoverSpool({ spoolDirectory, masterKey: loadMasterKey(dataDirectory) });
  assert.deepEqual([finished.length, failures.length], [1, 0]);
  const kept = sequenceNumbers();
  assert.deepEqual(kept, range(kept.length));
  assert.ok(kept.length > 100);
});
