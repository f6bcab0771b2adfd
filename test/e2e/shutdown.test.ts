import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { choosePlaces } from '../../src/database/postgres-places.ts';
import { clusterProcesses } from '../../src/database/postgres-process.ts';
import { exportSpool } from '../../src/spool/export.ts';
import { listDirectory } from '../../src/spool/files.ts';
import { loadMasterKey } from '../../src/spool/keys.ts';
import { conversationDirectoryOf, manifestSuffix, spoolDirectoryOf } from '../../src/spool/layout.ts';
import { noise } from '../../src/testkit/noise.ts';
import { openResources } from '../../src/testkit/open-resources.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { ServerProcess } from '../../src/testkit/server-process.ts';
import { eventually } from './eventually.ts';
import { Audience, calledNumber } from './scene.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';

/** SIGTERM while calls run. */
suite('shutdown', { concurrency: true }, () => {
  test('new calls get 503, running ones end after the drain time, everything is finished and delivered', async () => {
    const drainSeconds = 5;
    using folder = new TemporaryDataDir();
    const dataDir = folder.path;
    await using audience = await Audience.create();
    await using server = await start(audience, dataDir, drainSeconds);
    const uri = server.sipUri(calledNumber);
    const command = audience.join('drained', { do_record: true });
    const calls = [await audience.call(uri, [command]), await audience.call(uri, [command])];
    const speaking = calls.map((call, seed) => call.play(noise({ samples: 60 * 8000, seed })));
    await setTimeout(400);
    const held = holdings(server, dataDir);
    const signalledUs = systemClock.monotonicUs();
    server.signal('SIGTERM');

    await draining(server);
    for (const late of [uri, server.sipUri(calledNumber, 'tcp')])
      await assert.rejects(
        audience.call(late, [command], { phone: { transport: late === uri ? 'udp' : 'tcp' } }),
        { sipStatus: 503 },
      );
    for (const { ended } of calls) assert.equal((await ended).cause, 'remote');
    assert.ok(
      systemClock.monotonicUs() - signalledUs >= drainSeconds * 1e6,
      'they went on for the drain time',
    );
    assert.deepEqual(await Promise.all(speaking), [false, false]);
    const { conversation_id } = await audience.ended({ conference_name: 'drained' });
    await assertGone(server, held);
    assertSpooled(dataDir, conversation_id, calls);
  });

  test('when the last call hangs up the rest of the drain time is not waited for', async () => {
    using folder = new TemporaryDataDir();
    const dataDir = folder.path;
    await using audience = await Audience.create();
    await using server = await start(audience, dataDir, 600);
    const call = await audience.call(server.sipUri(calledNumber), [audience.join('leaving')]);
    const held = holdings(server, dataDir);
    server.signal('SIGTERM');
    await draining(server);
    assert.equal(await call.play(noise({ samples: 2400, seed: 1 })), true, 'it goes on meanwhile');
    await call.hangUp();
    await audience.ended({ conference_name: 'leaving' });
    await assertGone(server, held);
  });
});

function start(audience: Audience, dataDir: string, drainSeconds: number): Promise<ServerProcess> {
  const settings = { CALLREEL_DRAIN_SECONDS: String(drainSeconds) };
  return ServerProcess.start({ dataDir, numbers: audience.numbers, settings });
}

async function draining({ log }: ServerProcess): Promise<void> {
  await eventually('the drain', () => log.find(({ msg }) => msg === 'draining: no new calls'));
}

interface Holdings {
  cluster: string;
  workerPids: number[];
  udpPorts: number[];
  tcpPorts: number[];
}

function holdings(server: ServerProcess, dataDir: string): Holdings {
  const { workerPids } = server;
  const own = openResources(server.pid);
  const udpPorts = [own, ...workerPids.map((pid) => openResources(pid))].flatMap((each) => each.udpPorts);
  assert.ok(workerPids.length > 0 && udpPorts.length > 1 && own.tcpListenPorts.length > 1);
  const cluster = choosePlaces(realpathSync(dataDir)).cluster;
  assert.ok(clusterProcesses(cluster).length > 0);
  return { cluster, workerPids, udpPorts, tcpPorts: own.tcpListenPorts };
}

/** It ended by itself, and nothing of it is left. */
async function assertGone(server: ServerProcess, held: Holdings): Promise<void> {
  const exit = await Promise.race([server.exited, setTimeout(60_000, undefined, { ref: false })]);
  assert.deepEqual(exit, { code: 0, signal: null });
  for (const pid of held.workerPids) assert.ok(!existsSync(`/proc/${pid}`), `media worker ${pid}`);
  assert.deepEqual(clusterProcesses(held.cluster), []);
  for (const port of held.udpPorts) {
    const socket = createSocket('udp4').bind(port, '127.0.0.1');
    await once(socket, 'listening');
    socket.close();
  }
  for (const port of held.tcpPorts) {
    const listener = createServer().listen(port, '127.0.0.1');
    await once(listener, 'listening');
    listener.close();
  }
}

/** Every packet that was sent, and the end of the recording in order. */
function assertSpooled(dataDir: string, conversationId: string, calls: readonly PhoneCall[]): void {
  const directory = conversationDirectoryOf(spoolDirectoryOf(dataDir), conversationId);
  const [manifest, ...others] = listDirectory(directory).filter((name) => name.endsWith(manifestSuffix));
  assert.deepEqual(others, []);
  const { recording, records } = exportSpool(join(directory, manifest!), loadMasterKey(dataDir));
  assert.equal(recording.end?.reason, 'conversation_ended');
  for (const [index, { party, ...track }] of recording.tracks.entries()) {
    assert.equal(party.from, calls[index]!.session.from.user);
    const payloads = [...records({ party, ...track })].flatMap((record) =>
      record.kind === 'packet' ? [record.payload] : [],
    );
    const sent = calls[index]!.sentPayloads.map(({ payload }) => payload);
    // What a phone sends between the end of the drain time and the BYE reaches nobody; until then it is sent audio.
    const heardUs = calls[index]!.receivedPackets.at(-1)!.arrivalUs;
    const late = calls[index]!.sentPayloads.filter(({ sentUs }) => sentUs > heardUs - 200_000);
    const missing = sent.length - payloads.length;
    assert.ok(
      sent.length > 10 && missing >= 0 && missing <= late.length,
      `${payloads.length} of ${sent.length}`,
    );
    assert.deepEqual(Buffer.concat(payloads), Buffer.concat(sent.slice(0, payloads.length)));
  }
}
