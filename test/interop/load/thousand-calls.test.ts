import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { makeTemporaryDir } from '../../../src/database/temporary-database.ts';
import { CallbackApp } from '../../../src/testkit/callback-app.ts';
import { assertNoLeak } from '../../../src/testkit/leak-check.ts';
import { type OpenResources, openResources } from '../../../src/testkit/open-resources.ts';
import { ServerProcess } from '../../../src/testkit/server-process.ts';
import { ensurePackages } from '../debian.ts';
import { startLossyProxy } from '../lossy-proxy.ts';
import { runSippCaller } from '../sipp.ts';

const callMs = 1000;
const ratePerSecond = 100;

let app: CallbackApp;
let server: ServerProcess;
let before1: OpenResources[];
const dataDir = makeTemporaryDir();
/** Conversations whose terminal event came, over both tests. */
const ended = new Set<string>();

before(async () => {
  await ensurePackages('sip-tester');
  app = await CallbackApp.create();
  app.on<{ connection: { connection_id: string } }>('/incoming', ({ connection }) => ({
    routine: [
      {
        name: 'JoinConference',
        conference_name: connection.connection_id,
        do_record: true,
        event_callback: app.url('/events'),
      },
    ],
  }));
  app.on('/events', () => ({}));
  server = await ServerProcess.start({
    dataDir,
    numbers: [{ number: '2000', onIncoming: app.url('/incoming') }],
  });
  before1 = [openResources(server.pid), openResources(server.workerPids[0] ?? 0)];
});

after(async () => {
  server.signal('SIGKILL');
  await app.close();
  rmSync(dataDir, { recursive: true, force: true });
});

function numbered(count: number): { from: string; to: string }[] {
  return Array.from({ length: count }, (_, i) => ({
    from: `+1555${String(i).padStart(7, '0')}`,
    to: '2000',
  }));
}

test('1,000 calls at 100 a second: none fails, each is recorded to its terminal event', {
  timeout: 300_000,
}, async (t) => {
  const calls = numbered(1000);
  const statistics = await runSippCaller({
    target: server.sipAddress('udp'),
    calls,
    ratePerSecond,
    callMs,
    timeoutMs: 120_000,
  });
  t.diagnostic(`sipp: ${JSON.stringify(statistics)}`);
  assert.deepEqual(
    [statistics.created, statistics.successful, statistics.failed],
    [calls.length, calls.length, 0],
  );
  await terminalEvents(calls.length);
});

test('300 calls through a hop that loses a tenth of the signalling in both directions: none fails', {
  timeout: 300_000,
}, async (t) => {
  const calls = numbered(300);
  const proxy = await startLossyProxy({ target: server.sipAddress('udp'), lossRate: 0.1, seed: 3261 });
  t.after(() => proxy.close());
  const statistics = await runSippCaller({
    target: proxy,
    calls,
    ratePerSecond: 50,
    callMs,
    timeoutMs: 180_000,
  });
  const { towardsServer, towardsClient } = proxy;
  t.diagnostic(`sipp: ${JSON.stringify(statistics)}, up ${JSON.stringify(towardsServer)}`);
  assert.deepEqual(
    [statistics.created, statistics.successful, statistics.failed],
    [calls.length, calls.length, 0],
  );
  for (const { datagrams, lost } of [towardsServer, towardsClient]) {
    assert.ok(datagrams > calls.length * 2, `${datagrams} datagrams passed`);
    assert.ok(lost > datagrams * 0.07, `${lost} of ${datagrams} were lost`);
  }
  await terminalEvents(calls.length);
});

test('afterwards nothing is left open', { timeout: 120_000 }, async () => {
  for (const resources of before1)
    await assertNoLeak(resources, { timeoutMs: 60_000, allow: (line) => line.includes('TCP connection') });
});

/** Waits for as many more conversations; a second event of one would be one too many. */
async function terminalEvents(more: number): Promise<void> {
  const all = () =>
    app.requests('/events').map(({ body }) => (body as { conversation_id: string }).conversation_id);
  const wanted = ended.size + more;
  for (let seen = ended.size; seen < wanted; seen++)
    await app.waitFor('/events', () => new Set(all()).size > seen, 60_000);
  assert.equal(all().length, wanted, 'an event came twice');
  for (const id of all()) ended.add(id);
}
