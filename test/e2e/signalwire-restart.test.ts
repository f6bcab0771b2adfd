import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { validateRequest } from '@signalwire/web-api';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { Phone } from '../../src/testkit/phone.ts';
import { fetchAudio } from '../../src/testkit/recorded-audio.ts';
import { ServerProcess } from '../../src/testkit/server-process.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import type { RecordEvent } from './signalwire-stage.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';

test('W23 A53: error: a server killed while it records: the next start tells the end as the vendor would, once', async () => {
  using folder = new TemporaryDataDir();
  const app = await CallbackApp.create();
  const record_call = { control_id: 'crash', stereo: true, status_url: app.url('/status') };
  const main = [{ answer: {} }, { record_call }, { sleep: 60_000 }];
  app.on('/swml', () => ({ version: '1.0.0', sections: { main } }));
  app.on('/status', () => ({}));
  const numbers = [{ number: '2000', onIncoming: app.url('/swml'), dialect: 'signalwire' as const }];
  const options = { dataDir: folder.path, numbers, settings: { CALLREEL_DRAIN_SECONDS: '0' } };
  const phone = await Phone.create({ number: '+15558881188' });
  try {
    await using first = await ServerProcess.start(options);
    const call = await phone.call(first.sipUri('2000'));
    const begun = (await app.waitFor<RecordEvent>('/status')).body as RecordEvent;
    await call.play(tone({ frequencyHz: partyTonesHz[0], durationMs: 600 }));
    for (const pid of first.workerPids) process.kill(pid, 'SIGKILL');
    first.signal('SIGKILL');
    await first.exited;
    const hungUp = phone.close();

    await using second = await ServerProcess.start(options);
    const request = await app.waitFor<RecordEvent>('/status', ({ params }) => params.state === 'error');
    const { event_channel, project_id, space_id, params } = request.body as RecordEvent;
    assert.deepEqual(
      [event_channel, project_id, space_id],
      [begun.event_channel, begun.project_id, begun.space_id],
    );
    for (const name of ['call_id', 'node_id', 'control_id', 'recording_id'] as const)
      assert.equal(params[name], begun.params[name]);
    assert.deepEqual(params.record?.audio, { format: 'wav', direction: 'both', stereo: true });
    const key = readFileSync(join(folder.path, 'signalwire-signing-key'), 'utf8').trim();
    const signature = String(request.headers['x-signalwire-signature']);
    assert.equal(validateRequest(key, signature, app.url('/status'), request.rawBody.toString()), true);
    // The port is another one now; the link is as good as before.
    const { pathname, search } = new URL(params.url);
    const { bytes, channels } = await fetchAudio(second.publicUrl + pathname + search);
    assert.equal(bytes.length, params.size);
    assert.equal(channels.length, 2);
    assert.ok(params.duration! > 0.2);
    second.signal('SIGTERM');
    await second.exited;
    assert.equal(app.requests('/status').length, 2);
    await hungUp;
  } finally {
    await phone.close();
    await app.close();
  }
});
