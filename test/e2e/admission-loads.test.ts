import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { suite, test } from 'node:test';
import type { Shortage } from '../../src/admission/capacity.ts';
import type { WorkerStats } from '../../src/media/control.ts';
import { spoolDirectoryOf } from '../../src/spool/layout.ts';
import { assertComeAgain, unavailable } from './dialect-numbers.ts';
import { eventually } from './eventually.ts';
import { audioSdp, HandPhone } from './hand-phone.ts';
import { type ErrorBody, HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';

/** Each load that refuses calls, from the worker or the disk that has it to callers, balancers and the API. */
const offer = { body: audioSdp(40_000, 1) };

/** Settles when this, and nothing else, is why calls are refused. */
async function shortageIs({ server }: Scene, wanted: Shortage | undefined): Promise<void> {
  const isIt = () => server.callreel.admission.shortage === wanted || undefined;
  await eventually(`${wanted ?? 'no'} shortage`, isIt);
}

async function assertRefused(scene: Scene, shortage: Shortage): Promise<void> {
  await shortageIs(scene, shortage);
  assertComeAgain(await (await HandPhone.open(scene)).request('INVITE', offer));
  assertComeAgain(await (await HandPhone.open(scene)).request('OPTIONS'));
  const { refusals } = scene.server.callreel.admission;
  assert.deepEqual(refusals, { [shortage]: 1 }, 'a balancer that asks is no call');

  const http = new HttpClient(scene.server.callreel);
  await http.json('POST', '/v1/dial-permissions', { prefix: 'sip:127.0.0.1', allow: true });
  const { sipUri: to } = await scene.audience.phone();
  const order = { to, from: '+15558881188', conference: { name: 'more' } };
  const { error } = unavailable(await http.json<ErrorBody>('POST', '/v1/calls', order));
  assert.deepEqual([error.code, error.where], ['OVERLOADED', shortage]);
  assert.deepEqual(scene.server.callreel.admission.refusals, { [shortage]: 2 });
}

/** And none is counted any more. */
async function assertTaken(scene: Scene, shortage: Shortage): Promise<void> {
  await shortageIs(scene, undefined);
  assert.equal((await (await HandPhone.open(scene)).request('OPTIONS')).status, 200);
  const call = await scene.call([scene.join('after it')]);
  await call.hangUp();
  assert.deepEqual(scene.server.callreel.admission.refusals, { [shortage]: 2 });
}

/**
 * From now on the only worker says this, too. A socket of the loopback address always has room, and to fill the ring takes
 * thousands of calls or a disk that hangs: neither can be had here at will. All that follows is as it is.
 */
function workerSays({ server }: Scene, change: (stats: WorkerStats) => Partial<WorkerStats>): void {
  const [worker] = server.callreel.media.workers;
  assert.ok(worker);
  const ask = worker.stats.bind(worker);
  worker.stats = async () => {
    const stats = await ask();
    return { ...stats, ...change(stats) };
  };
}

suite('loads', { concurrency: true }, () => {
  test('late: a worker that stands still', async () => {
    // Of its ticks none is late while it does not run; that it says nothing is enough.
    await using scene = await Scene.open({ settings: { CALLREEL_ADMISSION_MAX_LATE_TICK_SHARE: '1' } });
    const { pid } = scene.server.callreel.media.workers[0]!;
    process.kill(pid, 'SIGSTOP');
    try {
      await assertRefused(scene, 'late');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await assertTaken(scene, 'late');
  });

  test('sends: packets that find no room', async () => {
    await using scene = await Scene.open();
    let sendOverflows = 0;
    let isFull = true;
    workerSays(scene, () => {
      // More than one peer explains, however late a look comes.
      if (isFull) sendOverflows += 1e6;
      return { sendOverflows };
    });
    await assertRefused(scene, 'sends');
    isFull = false;
    await assertTaken(scene, 'sends');
  });

  test('spool: a ring that the disk does not empty', async () => {
    await using scene = await Scene.open();
    let isFull = true;
    workerSays(scene, ({ ringBytes }) => (isFull ? { ringWaitingBytes: ringBytes } : {}));
    await assertRefused(scene, 'spool');
    isFull = false;
    await assertTaken(scene, 'spool');
  });

  test('disk: less free than is wanted', async () => {
    await using scene = await Scene.open({ settings: { CALLREEL_ADMISSION_MIN_FREE_DISK_MB: '1e12' } });
    await assertRefused(scene, 'disk');
  });

  test('disk: a spool that is gone, until it is back', async () => {
    await using scene = await Scene.open({ settings: { CALLREEL_ADMISSION_MIN_FREE_DISK_MB: '1' } });
    const spool = spoolDirectoryOf(scene.server.dataDir);
    renameSync(spool, `${spool}-elsewhere`);
    await assertRefused(scene, 'disk');
    renameSync(`${spool}-elsewhere`, spool);
    await assertTaken(scene, 'disk');
  });
});
