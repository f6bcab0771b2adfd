import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { decodeUlaw } from '../codec/g711.ts';
import { CallreelError } from '../errors.ts';
import { type Command, maxPromptSamples } from '../media/control.ts';
import { idleStats } from '../media/test-worker-stats.ts';
import { Secret } from '../secret.ts';
import { openSpool, readTrack } from '../spool/reader.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { MediaWorker, mediaWorkerTable } from './media-worker.ts';
import { isRunning, TestServer } from './test-server.ts';

const lost = (error: unknown): boolean => error instanceof CallreelError && error.code === 'WORKER_LOST';

throwOnUnlistedTransitions();

/** From docs/design.md, "Threads and processes". */
testTransitions('media-worker', mediaWorkerTable, {
  states: ['starting', 'running', 'finished', 'lost'],
  events: ['ready', 'finished', 'exit'],
  expected: [
    ['starting', 'ready', 'running', 'its tick thread and its writer thread run'],
    ['starting', 'exit', 'lost', '"A media worker that dies takes only its own calls along"'],
    ['running', 'finished', 'finished', 'drained: it ends by itself'],
    ['running', 'exit', 'lost', '"they are hung up, and their recordings are finished from the journal"'],
    ['finished', 'exit', 'finished', 'nothing of it is lost'],
  ],
});

describe('MediaWorker', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = new TestServer();
    await server.start();
  });
  afterEach(() => server.close());

  it('lets each of three phones hear the other two, one of them opted out of recordings', async () => {
    const calls = await Promise.all([440, 1000, 1900].map((frequencyHz) => server.call(frequencyHz)));
    const [first, second, third] = calls;
    await server.join(first!, 'room');
    await server.join(second!, 'room');
    await server.join(third!, 'room', { policy: 'never' });
    assert.deepEqual(await server.hearing(calls, calls, 2), [
      [1000, 1900],
      [440, 1900],
      [440, 1000],
    ]);
    const { event: _, ...media } = await server.event('leg.media');
    const call = calls.find(({ legId }) => legId === media.legId);
    assert.deepEqual(media, { legId: call?.legId, address: '127.0.0.1', port: call?.phone.port });
  });

  it('lets a party leave by its key or by command, and come back', async () => {
    const [a, b] = [await server.call(440), await server.call(1000)];
    await server.join(a, 'room', { leaveKey: '*', trackId: 'first-stay' });
    await server.join(b, 'room');
    await a.phone.press('5');
    await a.phone.press('*');
    assert.deepEqual(await server.event('stay.left'), {
      event: 'stay.left',
      legId: a.legId,
      trackId: 'first-stay',
      roomId: 'room',
    });
    const digits = server.events.flatMap((event) => (event.event === 'leg.digit' ? event.digit : []));
    assert.deepEqual(digits, ['5', '*']);
    await server.talk([a, b], 25);
    assert.deepEqual(server.hears(b), []);
    await server.join(a, 'room');
    assert.deepEqual(await server.hearing([a, b], [a, b], 1), [[1000], [440]]);
    await server.worker.send({ verb: 'room.leave', legId: a.legId });
    await server.talk([a, b], 25);
    assert.deepEqual([server.hears(a), server.hears(b)], [[], []]);
  });

  it('records what arrives into the spool and says when it is all on disk', async () => {
    const masterKey = new Secret(randomBytes(32));
    const [a, b] = [await server.call(440), await server.call(1000)];
    const recordingId = await server.record('room', masterKey);
    await server.join(a, 'room', { trackId: 'kept' });
    await server.join(b, 'room', { trackId: 'opted-out', policy: 'never' });
    await server.talk([a, b], 20);
    await server.worker.send({ verb: 'spool.settle', roomIds: ['room'] });
    const running = openSpool(join(server.spoolDir, 'room'), recordingId, masterKey);
    assert.equal(running.end, undefined);
    assert.ok([...readTrack(running.tracks[0]!)].some(({ kind }) => kind === 'packet'));
    await server.hangUp(a);
    await server.hangUp(b);
    await server.worker.send({ verb: 'room.close', roomId: 'room' });
    const ended = await server.event('recording.ended');
    assert.deepEqual(ended, {
      event: 'recording.ended',
      recordingId,
      roomId: 'room',
      reason: 'conversation_ended',
    });
    const recording = openSpool(join(server.spoolDir, 'room'), recordingId, masterKey);
    assert.equal(recording.end?.reason, 'conversation_ended');
    assert.deepEqual(
      recording.tracks.map(({ trackId, packets }) => ({ trackId, packets })),
      [{ trackId: 'kept', packets: 20 }],
    );
    const packets = [...readTrack(recording.tracks[0]!)].filter(({ kind }) => kind === 'packet');
    assert.equal(packets.length, 20);
    assert.equal(readdirSync(join(server.spoolDir, 'room')).length, 2);
  });

  it('plays prompts to one leg as they are, while the others go on undisturbed', async () => {
    const [listener, a, b] = [await server.call(440), await server.call(1000), await server.call(1900)];
    for (const call of [a, b]) await server.join(call, 'room');
    const codes = Uint8Array.from({ length: 8000 }, (_, i) => (i * 7 + (i >> 6)) % 120);
    const samples = new Int16Array(8000);
    decodeUlaw(codes, samples);
    const shared = new Int16Array(new SharedArrayBuffer(2 * 4000));
    shared.set(samples.subarray(4000));
    const { legId } = listener;
    listener.phone.received.length = 0;
    const parts = { first: samples.subarray(0, 4000), shared } as const;
    for (const [playId, part] of Object.entries(parts))
      await server.worker.send({ verb: 'play.start', legId, playId, samples: part, rateHz: 8000 });
    const long = new Int16Array(maxPromptSamples - 8000);
    await server.worker.send({ verb: 'play.start', legId, playId: 'long', samples: long, rateHz: 8000 });
    const sent = (): Buffer => Buffer.concat(listener.phone.received.map((packet) => packet.payload()));
    assert.deepEqual(await server.hearing([a, b], [a, b], 1), [[1900], [1000]]);
    for (const playId of ['first', 'shared'])
      assert.deepEqual(await server.event('play.ended'), {
        event: 'play.ended',
        legId,
        playId,
        reason: 'finished',
        playedMs: 500,
      });
    // What plays behind them shows that all of them was received.
    const { length } = sent();
    while (sent().length < length + 8000) await server.talk([a, b], 5);
    assert.ok(sent().includes(codes), 'every sample, without a gap');
    assert.deepEqual(await server.hearing([a, b], [a, b], 1), [[1900], [1000]]);
    await server.worker.send({ verb: 'play.stop', legId, playId: 'long' });
    const { reason, playedMs } = await server.event('play.ended');
    assert.equal(reason, 'stopped');
    assert.ok(playedMs > 0);
    await assert.rejects(
      server.worker.send({
        verb: 'play.start',
        legId,
        playId: 'endless',
        samples: new Int16Array(maxPromptSamples + 1),
        rateHz: 8000,
      }),
      { code: 'REQUEST_INVALID' },
    );
  });

  it('relays two legs packet by packet and records both; presses keys towards one', async () => {
    const masterKey = new Secret(randomBytes(32));
    const [a, b] = [await server.call(440), await server.call(1000)];
    const firstSequence = a.phone.sequenceNumber;
    const recordingId = await server.record('room', masterKey);
    for (const call of [a, b]) await server.join(call, 'room', { mode: 'relay' });
    await a.phone.send({ payload: new Uint8Array(240).fill(7), marker: true });
    await server.talk([a, b], 25);
    const { legId } = b;
    const keys = { digitsId: 'd', digits: '1w2', durationMs: 80, gapMs: 40 };
    await server.worker.send({ verb: 'digits.send', legId, ...keys });
    await server.talk([a, b], 50);
    const { event: _, ...digits } = await server.event('digits.ended');
    assert.deepEqual(digits, { legId, digitsId: 'd', reason: 'finished', sent: '12' });
    // What b hears afterwards was received behind the keys.
    assert.deepEqual(await server.hearing([a, b], [a, b], 1), [[1000], [440]]);
    const events = b.phone.received.filter(({ payloadType }) => payloadType === 101);
    assert.equal(events.length, 12);
    const sentPackets = [a, b].map(({ phone }) => (phone.sequenceNumber - firstSequence) & 0xffff);
    assert.equal(sentPackets[0], sentPackets[1]! + 1);
    await server.worker.send({ verb: 'room.close', roomId: 'room' });
    await server.event('recording.ended');
    const recording = openSpool(join(server.spoolDir, 'room'), recordingId, masterKey);
    assert.deepEqual(recording.tracks.map(({ packets }) => packets).sort(), sentPackets.sort());
  });

  it('answers a command it can not do with the error, and counts what it did', async () => {
    const a = await server.call(440);
    const { worker } = server;
    await assert.rejects(worker.send({ verb: 'leg.close', legId: 'nobody' }), { code: 'NOT_FOUND' });
    await assert.rejects(worker.send({ verb: 'leg.open', legId: a.legId }), { code: 'CONFLICT' });
    await assert.rejects(worker.send({ verb: 'no.verb', legId: 'a' } as unknown as Command), {
      code: 'REQUEST_INVALID',
    });
    await server.join(a, 'room');
    await server.talk([a], 5);
    await once(a.phone.socket, 'message');
    const stats = await worker.stats();
    assert.equal(worker.openLegs, 1);
    assert.equal(stats.openPorts, 1);
    assert.equal(stats.rooms, 1);
    assert.equal(stats.receivedPackets, 5);
    assert.ok(stats.sentPackets > 0);
    assert.ok(stats.cpuUs > 0);
    assert.ok(stats.residentBytes > 10e6 && stats.residentBytes < 2e9, String(stats.residentBytes));
    assert.match(worker.pipeline, /media-session --> capture/);
  });

  it('drains: goes on until the last call, then ends and leaves nothing behind', async () => {
    const a = await server.call(440);
    await server.join(a, 'room');
    const { worker } = server;
    let lostCalls = 0;
    worker.onLost(() => lostCalls++);
    const drained = worker.drain();
    await assert.rejects(worker.send({ verb: 'leg.open', legId: 'late' }), { code: 'DRAINING' });
    await server.talk([a], 10);
    await once(a.phone.socket, 'message');
    process.kill(worker.pid, 'SIGTERM');
    process.kill(worker.pid, 'SIGINT');
    await server.hangUp(a);
    await worker.send({ verb: 'room.close', roomId: 'room' });
    await drained;
    assert.equal(isRunning(worker.pid), false);
    assert.equal(worker.alive, false);
    assert.equal(lostCalls, 0);
    await assert.rejects(worker.send({ verb: 'worker.stats' }), lost);
    const socket = createSocket('udp4').bind(a.phone.remotePort, '127.0.0.1');
    await once(socket, 'listening');
    socket.close();
  });

  it('says when it is lost, and rejects what was asked of it', async () => {
    const a = await server.call(440);
    const { worker } = server;
    const { promise, resolve } = Promise.withResolvers<MediaWorker>();
    worker.onLost(resolve);
    process.kill(worker.pid, 'SIGSTOP');
    const unanswered = worker.send({ verb: 'worker.stats' });
    const rejected = assert.rejects(unanswered, lost);
    process.kill(worker.pid, 'SIGKILL');
    assert.equal(await promise, worker);
    await rejected;
    await assert.rejects(worker.send({ verb: 'leg.close', legId: a.legId }), lost);
    await assert.rejects(worker.drain(), lost);
    assert.equal(isRunning(worker.pid), false);
  });

  it('says by which driver its media goes, and once that it costs more from now on', async (t) => {
    const told: [level: string, fields: object, message: string][] = [];
    const tell = (level: string) => (fields: object, message: string) =>
      void told.push([level, fields, message]);
    const log = { info: tell('info'), warn: tell('warn'), error: tell('error') };
    const worker = await MediaWorker.start({ ...server.options, log, driver: 'dgram' });
    const { workerId, pid: workerPid } = worker;
    assert.deepEqual(told.splice(0), [
      [
        'info',
        { workerId, workerPid, driver: 'dgram', driverNote: undefined, steering: undefined },
        'media worker runs',
      ],
    ]);
    assert.equal((await worker.stats()).driver, 'dgram');
    assert.deepEqual(told, []);
    const stats = { ...idleStats, driverNote: 'it says why' };
    t.mock.method(worker, 'send', async () => ({ stats }));
    await worker.stats();
    await worker.stats();
    assert.deepEqual(told, [
      ['warn', { workerId, driver: 'ffi', driverNote: 'it says why' }, 'media costs more from now on'],
    ]);
    t.mock.restoreAll();
    await worker.drain();
  });

  it('does not start where it can not: the error says so', async () => {
    await assert.rejects(MediaWorker.start({ ...server.options, ringBytes: 1000 }), lost);
  });
});
