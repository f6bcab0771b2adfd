import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { packetSamples } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { ServerProcess } from '../../src/testkit/server-process.ts';
import type { ConversationBody } from './bodies.ts';
import { channelFrom, decoded, samplesOf } from './channel-audio.ts';
import { DirectoryRows } from './directory-rows.ts';
import { eventually } from './eventually.ts';
import { Audience, calledNumber, Scene } from './scene.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';

/** SIGKILL in mid-call. What was sent this long before it must be in the files, bit for bit (docs/spool.md). */
const mayLoseUs = 200_000;
const killAfterMs = 2500;
const packetUs = 20_000;

suite('recovery', { concurrency: true }, () => {
  test('a server killed in mid-call: the next start finishes its recordings', async () => {
    await killAndStartAgain((server) => server.signal('SIGKILL'));
  });

  test('a server killed together with its media worker: the next start finishes their recordings', async () => {
    await killAndStartAgain((server) => {
      for (const pid of server.workerPids) process.kill(pid, 'SIGKILL');
      server.signal('SIGKILL');
    });
  });

  test('a media worker killed in mid-call: its calls end, its recordings are finished, the next call works', async () => {
    await using scene = await Scene.open();
    const { callreel, dataDir } = scene.server;
    const command = scene.join('worker', { do_record: true });
    const routine = [command, scene.join('nowhere')];
    const calls = [await scene.call(routine), await scene.call(routine)];
    const speaking = speak(calls);
    await setTimeout(killAfterMs);
    const killedUs = systemClock.monotonicUs();
    process.kill(callreel.media.workers[0]!.pid, 'SIGKILL');

    for (const { ended } of calls) assert.equal((await ended).cause, 'remote');
    assert.deepEqual(await speaking, [false, false]);
    await assert.rejects(scene.call([command]), { sipStatus: 503 }, 'there is no worker yet');
    const conversation = await scene.endedConversation({ conference_name: 'worker' });
    await assertKeptUntil(conversation, calls, killedUs);
    const rows = new DirectoryRows(dataDir);
    try {
      await assertAllEnded(rows, conversation.conversation_id);
    } finally {
      await rows.close();
    }
    assert.deepEqual(callreel.calls.counts, { calls: 0, conferences: 0, unfinishedConversations: 0 });

    await eventually('a new media worker', () => callreel.media.workers.find(({ alive }) => alive));
    const next = await scene.call([scene.join('worker', { do_record: true })]);
    assert.deepEqual(await speak([next]), [true]);
    await next.hangUp();
    const [, second] = await scene.audience.allEnded({ conference_name: 'worker' }, 2);
    const afterwards = await scene.conversation(second!.conversation_id);
    assertExactRun(await samplesOf(channelFrom(afterwards, next).audio), next.sent());
    const [stats, ...others] = await callreel.media.stats();
    assert.deepEqual(
      [stats!.openPorts, stats!.legs, stats!.rooms, stats!.recordings, others],
      [0, 0, 0, 0, []],
    );
  });
});

async function killAndStartAgain(kill: (server: ServerProcess) => void): Promise<void> {
  using folder = new TemporaryDataDir();
  const dataDir = folder.path;
  await using audience = await Audience.create();
  await using first = await startServer(dataDir, audience);
  const command = audience.join('crash', { do_record: true });
  const uri = first.sipUri(calledNumber);
  const calls = [await audience.call(uri, [command]), await audience.call(uri, [command])];
  void speak(calls);
  await setTimeout(killAfterMs);
  const killedUs = systemClock.monotonicUs();
  kill(first);
  await first.exited;
  const hungUp = audience.hangUp();
  assert.deepEqual(audience.endedEvents(), []);

  await using second = await startServer(dataDir, audience);
  const { conversation_id } = await audience.ended({ conference_name: 'crash' });
  const conversation = await second.api<ConversationBody>(`/v0/conversations/${conversation_id}`);
  await assertKeptUntil(conversation, calls, killedUs);
  const [adopted] = logged(second, 'PostgreSQL adopted', 'postgresPid');
  assert.ok(Number(adopted) > 0);
  assert.deepEqual([adopted], logged(first, 'PostgreSQL started', 'postgresPid'));
  assert.deepEqual(second.workerPids, logged(second, 'media worker runs', 'workerPid'));
  const rows = new DirectoryRows(dataDir);
  await assertAllEnded(rows, conversation_id).finally(() => rows.close());

  second.signal('SIGTERM');
  assert.deepEqual(await second.exited, { code: 0, signal: null });
  assert.equal(audience.endedEvents().length, 1, 'the event came once');
  await hungUp;
}

function startServer(dataDir: string, { numbers }: Audience): Promise<ServerProcess> {
  return ServerProcess.start({ dataDir, numbers, settings: { CALLREEL_DRAIN_SECONDS: '0' } });
}

/** What a field of a server's log lines says. */
function logged({ log }: ServerProcess, message: string, field: string): unknown[] {
  return log.filter(({ msg }) => msg === message).map((line) => line[field]);
}

/**
 * Before this the worker had its time to write what came. It sends every 20 ms: where nothing came of it, it stood
 * still, and that is not its time.
 */
function writtenBy({ receivedPackets }: PhoneCall, killedUs: number): number {
  let atUs = killedUs;
  let ranUs = 0;
  for (const { arrivalUs } of receivedPackets.toReversed()) {
    if (arrivalUs > killedUs) continue;
    ranUs += Math.min(atUs - arrivalUs, 2 * packetUs);
    atUs = arrivalUs;
    if (ranUs >= mayLoseUs) break;
  }
  return Math.min(atUs, killedUs - mayLoseUs);
}

/** How late the phone was with a packet, where this process was held up. */
function longestWaitMs({ sentPayloads }: PhoneCall): number {
  const waitsUs = sentPayloads.slice(1).map(({ sentUs }, index) => sentUs - sentPayloads[index]!.sentUs);
  return Math.max(...waitsUs) / 1000;
}

function sinceLastSentMs({ sentPayloads }: PhoneCall): number {
  return (systemClock.monotonicUs() - sentPayloads.at(-1)!.sentUs) / 1000;
}

const utteranceMs = 4000;

function speak(calls: readonly PhoneCall[]): Promise<boolean[]> {
  return Promise.all(calls.map((call, seed) => call.play(noise({ samples: utteranceMs * 8, seed }))));
}

async function assertKeptUntil(
  conversation: ConversationBody,
  calls: readonly PhoneCall[],
  killedUs: number,
): Promise<void> {
  assert.equal(conversation.status, 'ended');
  assert.equal(conversation.channels.length, calls.length);
  for (const call of calls) {
    const writtenUs = writtenBy(call, killedUs);
    const must = call.sentPayloads.filter(({ sentUs }) => sentUs < writtenUs);
    assert.ok(must.length > 20, `${must.length} packets`);
    const samples = await samplesOf(channelFrom(conversation, call).audio);
    const start = assertExactRun(samples, decoded(call, must));
    const said = decoded(call, call.sentPayloads);
    const end = samples.subarray(start).findIndex((sample, index) => sample !== said[index]);
    const tail = end < 0 ? samples.subarray(0, 0) : samples.subarray(start + end);
    // The worker that outlived its server ended the stay between two packets, or behind all of them.
    const mostMs = Math.max(longestWaitMs(call), end === said.length ? sinceLastSentMs(call) : 0);
    assert.ok(
      tail.length < packetSamples + mostMs * 8 && tail.every((sample) => sample === 0),
      `${tail.length} samples more, not silent from ${tail.findIndex((s) => s !== 0)}, ${samples.length} in all, ${said.length} said, from ${start}, ${mostMs} ms are silent at most`,
    );
  }
  assert.ok((await samplesOf(conversation.mixed_audio!)).length >= 8000);
}

async function assertAllEnded(rows: DirectoryRows, conversationId: string): Promise<void> {
  const [recording, ...others] = await rows.recordings(conversationId);
  assert.deepEqual([recording!.state, recording!.reason, others], ['ended', 'interrupted', []]);
  assert.deepEqual(
    (await rows.conversations()).map(({ status }) => status),
    ['ended'],
  );
  const connections = await eventually('the ends of the connections', async () => {
    const all = await rows.connections();
    return all.every(({ endTime }) => endTime) ? all : undefined;
  });
  const answered = connections.map(({ status }) => status).filter((status) => status !== 'failed');
  assert.deepEqual(answered, ['finished', 'finished']);
}
