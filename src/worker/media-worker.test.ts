import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CallreelError } from '../errors.ts';
import type { Command } from '../media/control.ts';
import { Secret } from '../secret.ts';
import { openSpool, readTrack } from '../spool/reader.ts';
import { MediaWorker } from './media-worker.ts';
import { isRunning, TestServer } from './test-server.ts';

const lost = (error: unknown): boolean => error instanceof CallreelError && error.code === 'WORKER_LOST';

describe('MediaWorker', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = new TestServer();
    await server.start();
  });
  afterEach(() => server.close());

  it('lets each of three phones hear the other two, one of them opted out of recordings', async () => {
    const calls = await Promise.all([440, 1000, 1900].map((frequencyHz) => server.call(frequencyHz)));
    const [first, second, third] = calls as [(typeof calls)[0], ...typeof calls] & typeof calls;
    await server.join(first, 'room');
    await server.join(second!, 'room');
    await server.join(third!, 'room', { policy: 'never' });
    await server.talk(calls, 40);
    assert.deepEqual(server.hears(first), [1000, 1900]);
    assert.deepEqual(server.hears(second!), [440, 1900]);
    assert.deepEqual(server.hears(third!), [440, 1000]);
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
    await server.talk([a, b], 25);
    assert.deepEqual([server.hears(a), server.hears(b)], [[1000], [440]]);
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
    await server.worker.send({ verb: 'spool.settle', roomId: 'room' });
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
    const stats = await worker.stats();
    assert.equal(worker.openLegs, 1);
    assert.equal(stats.openPorts, 1);
    assert.equal(stats.rooms, 1);
    assert.equal(stats.receivedPackets, 5);
    assert.ok(stats.sentPackets > 0);
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
    assert.ok(a.phone.received.length > 0);
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

  it('does not start where it can not: the error says so', async () => {
    await assert.rejects(MediaWorker.start({ ...server.options, ringBytes: 1000 }), lost);
  });
});
