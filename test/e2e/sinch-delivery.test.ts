import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, suite, test } from 'node:test';
import { eventually } from './eventually.ts';
import { SinchStage } from './sinch-stage.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';
import { speak } from './verb-stage.ts';

/** What becomes of the files, and what the application is told of it. */
const files = new TemporaryDataDir();
const stage = await SinchStage.open({
  settings: {
    CALLREEL_DELIVERY_FILE_DIRECTORIES: files.path,
    CALLREEL_SINCH_FAILURE_EVENTS: 'true',
  },
});
after(async () => {
  await stage[Symbol.asyncDispose]();
  files[Symbol.dispose]();
});

async function recorded(recordingOptions: object): Promise<string> {
  const call = await stage.call({
    ice: { instructions: [{ name: 'startRecording', recordingOptions }], action: { name: 'park' } },
  });
  await speak(call, 1600, 91);
  const callId = await stage.callIdOf(call);
  await call.hangUp();
  await stage.told(callId, 'notify', 'recording_finished');
  return callId;
}

suite('files', { concurrency: true }, () => {
  test('one that is not named gets a name of its own; finished comes ahead of available', async () => {
    const callId = await recorded({ destinationUrl: `file://${files.path}/` });
    const { destination } = await stage.told(callId, 'notify', 'recording_available');
    const [, name = ''] = /\/([^/]+)$/.exec(String(destination)) ?? [];
    assert.match(name, new RegExp(`^\\d{14}_${stage.keys.applicationKey}_${callId}\\.mp3$`));
    assert.ok(readdirSync(files.path).includes(name));
    assert.deepEqual(
      stage.callbacks(callId, 'notify').map(({ type }) => type),
      ['recording_finished', 'recording_available'],
    );
  });

  test('what can not be delivered is told, where the operator wants that', async () => {
    const callId = await recorded({ destinationUrl: 'file:///nowhere/allowed/' });
    const failed = await stage.told(callId, 'notify', 'recording_failed');
    assert.match(String(failed.errorMsg), /file:\/\/\/nowhere|allowed/);
    assert.equal(failed.callid, callId);
  });

  test('credentials are in no row and no answer', async () => {
    const credentials = 'AKIANEVERSHOWN:NeverShownSecret:eu-central-1';
    const callId = await recorded({ destinationUrl: 's3://bucket/', credentials });
    const [recording] = await eventually('its row', async () => {
      const found = await stage.recordings(({ connection_id: id }) => id === callId);
      return found.length > 0 ? found : undefined;
    });
    assert.equal(JSON.stringify(recording).includes('NeverShown'), false);
    const { body } = await stage.http.get<unknown>('/v1/events?limit=100');
    assert.equal(JSON.stringify(body).includes('NeverShown'), false);
  });
});
