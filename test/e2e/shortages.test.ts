import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { addNumbers, assertComeAgain, connectTo, dialects, unavailable } from './dialect-numbers.ts';
import { eventually } from './eventually.ts';
import { audioSdp, HandPhone } from './hand-phone.ts';
import type { ErrorBody } from './http-client.ts';
import type { Scene } from './scene.ts';
import { SinchClient, sip, temporaryRefusal } from './sinch-client/client.ts';

/** What callers and clients of the APIs are told where there is room for a call, and not for its media. */
const offer = { body: audioSdp(40_000, 1) };
const cli = '+15558881188';

/** What each API places calls by, and what it is answered. */
async function assertNonePlaced(client: SinchClient, code: string): Promise<void> {
  const { stage, voice } = client;
  const phone = await stage.phone();
  const order = { to: phone.sipUri, from: cli, conference: { name: 'more' } };
  const { error } = unavailable(await stage.http.json<ErrorBody>('POST', '/v1/calls', order));
  assert.equal(error.code, code);
  const swml = { version: '1.0.0', sections: { main: [{ answer: {} }] } };
  const dial = { command: 'dial', params: { from: cli, to: phone.sipUri, swml } };
  assert.deepEqual(unavailable(await stage.http.json('POST', '/api/calling/calls', dial)), {
    error: 'Service Unavailable',
  });
  const ttsCallout = { destination: sip(phone), cli, text: 'Hello.', locale: 'en-US' };
  const placed = voice.callouts.tts({ ttsCalloutRequestBody: { method: 'ttsCallout', ttsCallout } });
  assert.deepEqual(await temporaryRefusal(placed), [503, 50000]);
}

/** A caller is refused before its own port is closed: who comes at once may find it taken. */
async function portsFree({ server }: Scene): Promise<void> {
  const { media } = server.callreel;
  await eventually('no port is open', async () => {
    const open = (await media.stats()).reduce((sum, { openPorts }) => sum + openPorts, 0);
    return open === 0 ? true : undefined;
  });
}

suite('shortages', { concurrency: false }, () => {
  test('a full node: the APIs of the dialects say it as their vendors would', async () => {
    await using client = await SinchClient.open({ settings: { CALLREEL_ADMISSION_MAX_CALLS: '1' } });
    const { scene } = client.stage;
    const call = await scene.call([scene.join('the one')]);
    await assertNonePlaced(client, 'OVERLOADED');
    await call.hangUp();
  });

  test('no ports: callers of each dialect are told to come again, and so are clients', async () => {
    // Of one leg.
    await using client = await SinchClient.open({ settings: { CALLREEL_RTP_PORTS: '17170-17171' } });
    const { scene } = client.stage;
    const called = await scene.audience.phone();
    const numbers = await addNumbers(scene, async (dialect) => connectTo(dialect, called.sipUri));
    // Its own media is opened first: of the two it is the called party that has none.
    for (const dialect of dialects) {
      const phone = await HandPhone.open(scene, numbers[dialect]);
      assertComeAgain(await phone.request('INVITE', offer), 'PORTS_EXHAUSTED');
      await portsFree(scene);
    }
    const call = await scene.call([scene.join('the one')]);
    for (const dialect of dialects) {
      const phone = await HandPhone.open(scene, numbers[dialect]);
      assertComeAgain(await phone.request('INVITE', offer), 'PORTS_EXHAUSTED');
    }
    await assertNonePlaced(client, 'PORTS_EXHAUSTED');
    await call.hangUp();
  });

  test('no media worker: the same', async () => {
    await using client = await SinchClient.open();
    const { scene } = client.stage;
    const called = await scene.audience.phone();
    const numbers = await addNumbers(scene, async (dialect) => connectTo(dialect, called.sipUri));
    const phones = await Promise.all(dialects.map((dialect) => HandPhone.open(scene, numbers[dialect])));
    const { workers } = scene.server.callreel.media;
    process.kill(workers[0]!.pid, 'SIGKILL');
    const answers = await Promise.all(phones.map((phone) => phone.request('INVITE', offer)));
    for (const answer of answers) assertComeAgain(answer, 'WORKER_LOST');
  });
});
