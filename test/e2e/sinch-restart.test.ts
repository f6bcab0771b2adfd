import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VoiceCallbackWebhooks, VoiceService } from '@sinch/voice';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { Phone } from '../../src/testkit/phone.ts';
import { ServerProcess } from '../../src/testkit/server-process.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';

interface Ice {
  event: string;
  callid: string;
  applicationKey: string;
}

test('a configured application; after a kill the calls of the run before are over, and told so', async () => {
  using folder = new TemporaryDataDir();
  const app = await CallbackApp.create();
  const park = { instructions: [{ name: 'answer' }], action: { name: 'park' } };
  app.on<Ice>('/voice', ({ event }) => (event === 'ice' ? park : {}));
  const numbers = [{ number: '2000', onIncoming: app.url('/voice'), dialect: 'sinch' as const }];
  const options = { dataDir: folder.path, numbers, settings: { CALLREEL_DRAIN_SECONDS: '0' } };
  const phone = await Phone.create({ number: '+15558881188' });
  try {
    await using first = await ServerProcess.start(options);
    const token = readFileSync(join(folder.path, 'auth-token'), 'utf8').trim();
    const applicationSecret = Buffer.from(token).toString('base64');
    const client = ({ publicUrl }: ServerProcess, applicationKey: string) =>
      new VoiceService({ applicationKey, applicationSecret, voiceHostname: publicUrl });

    const over = await phone.call(first.sipUri('2000'));
    const request = await app.waitFor<Ice>('/voice', ({ event }) => event === 'ice');
    const { callid: overId, applicationKey } = request.body as Ice;
    const webhooks = new VoiceCallbackWebhooks({ applicationKey, applicationSecret });
    const { headers, rawBody, path, method } = request;
    assert.equal(webhooks.validateAuthenticationHeader(headers, rawBody.toString(), path, method), true);
    await over.hangUp();
    await app.waitFor<Ice>('/voice', ({ event, callid }) => event === 'dice' && callid === overId);
    await phone.call(first.sipUri('2000'));
    const live = await app.waitFor<Ice>(
      '/voice',
      ({ event, callid }) => event === 'ice' && callid !== overId,
    );
    const { callid: liveId } = live.body as Ice;
    const status = async (server: ServerProcess, callId: string) => {
      const { status, result, reason } = await client(server, applicationKey).calls.get({ callId });
      return [status, result, reason];
    };
    assert.deepEqual(await status(first, overId), ['FINAL', 'ANSWERED', 'CALLERHANGUP']);
    assert.deepEqual(await status(first, liveId), ['ONGOING', 'ANSWERED', 'N/A']);
    for (const pid of first.workerPids) process.kill(pid, 'SIGKILL');
    first.signal('SIGKILL');
    await first.exited;
    const hungUp = phone.close();

    await using second = await ServerProcess.start(options);
    assert.deepEqual(await status(second, overId), ['FINAL', 'ANSWERED', 'CALLERHANGUP']);
    assert.deepEqual(await status(second, liveId), ['FINAL', 'ANSWERED', 'GENERALERROR']);
    second.signal('SIGTERM');
    await second.exited;
    await hungUp;
  } finally {
    await phone.close();
    await app.close();
  }
});
