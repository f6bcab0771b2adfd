import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FakeClock } from '../clock.ts';
import type { WorkerEvent } from '../media/control.ts';
import { joinOf } from '../media/test-bench.ts';
import { TestPhone } from '../media/test-phone.ts';
import { entryControl, entryRecord, type SpoolControl } from '../spool/producer.ts';
import { createRing, RingConsumer } from '../spool/ring.ts';
import { describePipeline, Pipeline } from './pipeline.ts';

describe('Pipeline', () => {
  const clock = new FakeClock();
  let ring: RingConsumer;
  let pipeline: Pipeline;
  let phone: TestPhone;
  let events: WorkerEvent[];

  beforeEach(async () => {
    const shared = createRing(1 << 16);
    ring = new RingConsumer(shared);
    events = [];
    pipeline = new Pipeline({
      clock,
      driver: 'dgram',
      mediaAddress: '127.0.0.1',
      ports: { first: 0, last: 0 },
      ring: shared,
      settle: async () => undefined,
      post: (event) => events.push(event),
      mayStay: () => false,
    });
    pipeline.run(() => undefined);
    phone = await TestPhone.open();
  });

  afterEach(async () => {
    await pipeline.stop();
    await phone.close();
  });

  /** What reached the ring since the last call: the ops of the controls, and how many packets. */
  function drainRing(): { ops: string[]; records: Uint8Array[] } {
    const ops: string[] = [];
    const records: Uint8Array[] = [];
    ring.drain((kind, bytes) => {
      if (kind === entryControl) ops.push((JSON.parse(Buffer.from(bytes).toString()) as SpoolControl).op);
      else if (kind === entryRecord) records.push(Uint8Array.from(bytes));
    }, 1 << 20);
    return { ops, records };
  }

  async function startRecordedCall(): Promise<void> {
    const key = { plain: randomBytes(32).toString('base64'), sealed: '' };
    const recording = { recordingId: 'r', roomId: 'room', accountId: 'a', rateHz: 8000, key, meta: {} };
    await pipeline.executor.execute({ verb: 'recording.start', ...recording });
    const { port } = await pipeline.executor.execute({ verb: 'leg.open', legId: 'a' });
    phone.remotePort = port ?? 0;
    await pipeline.executor.execute(phone.negotiation('a'));
    await pipeline.executor.execute(joinOf('a', 'room'));
  }

  it('brings a packet from the socket to the ring within its tick, behind the record that announces it', async () => {
    await startRecordedCall();
    const before = drainRing();
    assert.equal(before.ops[0], 'start');
    assert.equal(before.ops.at(-1), 'open');
    const payload = randomBytes(160);
    await phone.send({ payload });
    clock.advanceMs(5);
    const { records } = drainRing();
    assert.equal(records.length, 2);
    assert.ok(Buffer.from(records[1]!).includes(payload));
    assert.deepEqual(
      events.map(({ event }) => event),
      ['recording.started', 'leg.media'],
    );
  });

  it('ends what runs with the reason it is given, and waits for the writer', async () => {
    await startRecordedCall();
    drainRing();
    pipeline.recordings.endAll('interrupted', clock.monotonicUs());
    assert.deepEqual(drainRing().ops, ['close', 'line', 'line', 'finish']);
    assert.equal(pipeline.recordings.count, 1);
    pipeline.recordings.writerReported({ event: 'ended', recordingId: 'r' });
    assert.equal(pipeline.recordings.count, 0);
    assert.deepEqual(events.at(-1), {
      event: 'recording.ended',
      recordingId: 'r',
      roomId: 'room',
      reason: 'interrupted',
    });
    pipeline.recordings.endAll('interrupted', clock.monotonicUs());
    assert.deepEqual(drainRing().ops, []);
  });

  it('draws its stages by the names of their files', () => {
    const files = {
      transport: '../rtp/transport.ts',
      'media-session': '../media/media-session.ts',
      capture: './capture.ts',
      producer: '../spool/producer.ts',
      ring: '../spool/ring.ts',
      writer: '../spool/writer.ts',
      'jitter-buffer': '../media/jitter-buffer.ts',
      room: '../media/room.ts',
      relay: '../media/relay.ts',
      'leg-output': '../media/leg-output.ts',
      player: '../media/player.ts',
      'digit-sender': '../media/digit-sender.ts',
      'rtp-sender': '../media/rtp-sender.ts',
    };
    for (const [stage, file] of Object.entries(files)) {
      assert.ok(describePipeline().includes(stage), stage);
      assert.ok(existsSync(new URL(file, import.meta.url)), file);
    }
  });
});
