import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { SinchStage } from './sinch-stage.ts';

/** Calls to an application of this dialect: what it is asked, what it answers, and what it is told at the end. */
const stage = await SinchStage.open();
after(() => stage[Symbol.asyncDispose]());

const destination = { destinationUrl: 's3://bucket/', credentials: 'key:secret:region', format: 'wav' };

suite('incoming calls', { concurrency: 4 }, () => {
  test('ICE is signed and describes the call; DICE tells how it ended', async () => {
    const call = await stage.call({ ice: { instructions: [{ name: 'answer' }], action: { name: 'park' } } });
    const callId = await stage.callIdOf(call);
    const ice = await stage.told(callId, 'ice');
    assert.deepEqual(
      [ice.version, ice.to, ice.cli, ice.applicationKey, ice.custom],
      [1, { type: 'did', endpoint: '3000' }, call.session.from.user, stage.keys.applicationKey, ''],
    );
    assert.match(String(ice.callResourceUrl), new RegExp(`/calling/v1/calls/id/${callId}$`));
    await call.hangUp();
    const dice = await stage.told(callId, 'dice');
    assert.deepEqual(
      [dice.reason, dice.result, dice.from, dice.to],
      ['CALLERHANGUP', 'ANSWERED', call.session.from.user, { type: 'did', endpoint: '3000' }],
    );
    assert.equal(stage.callbacks(callId).length, 2);
  });

  test('S16: it records from the end of the first prompt on, to the sample', async () => {
    const [dont, record] = [stage.prompt(4000), stage.prompt(4000)];
    const call = await stage.call({
      ice: {
        instructions: [
          { name: 'playFiles', ids: [dont.url] },
          { name: 'StartRecording', options: destination },
          { name: 'playFiles', ids: [record.url] },
        ],
        action: { name: 'hangup' },
      },
    });
    await call.ended;
    const callId = await stage.callIdOf(call);
    const [samples] = await stage.recordingOf(callId);
    assertExactRun(samples!, record.sound);
    assertNoRun(samples!, dont.sound, { minSamples: 16 });
    const finished = await stage.told(callId, 'notify', 'recording_finished');
    assert.deepEqual(finished, { event: 'notify', callid: callId, version: 1, type: 'recording_finished' });
    const dice = await stage.told(callId, 'dice');
    assert.deepEqual([dice.reason, dice.result], ['MANAGERHANGUP', 'ANSWERED']);
  });
});
