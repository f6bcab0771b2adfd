import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Secret } from '../../src/secret.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { SinchStage } from './sinch-stage.ts';

/** Calls to an application of this dialect: what it is asked, what it answers, and what it is told at the end. */
const users = JSON.stringify([{ username: 'alice', password: 'secret' }]);
const stage = await SinchStage.open({ settings: { CALLREEL_SIP_USERS: users } });
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

  test('it records from the end of the first prompt on, to the sample', async () => {
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

  test('so it is of what is said', async () => {
    const say = (text: string) => ({ name: 'Say', text, locale: 'en-US' });
    const heard = async (text: string) => {
      const call = await stage.call({ ice: { instructions: [say(text)], action: { name: 'hangup' } } });
      await call.ended;
      return trimmed(call.received());
    };
    const [dont, record] = [await heard("don't record this"), await heard('record this')];
    const call = await stage.call({
      ice: {
        instructions: [
          say("don't record this"),
          { name: 'StartRecording', options: destination },
          say('record this'),
        ],
        action: { name: 'hangup' },
      },
    });
    await call.ended;
    const [samples] = await stage.recordingOf(await stage.callIdOf(call));
    assertExactRun(samples!, record);
    assertNoRun(samples!, dont, { minSamples: 200 });
  });

  test('connectMxp: whom the caller names is registered here; the flag records, instructions do not', async () => {
    const alice = await stage.phone('alice');
    const { promise: coming, resolve } = Promise.withResolvers<PhoneCall>();
    alice.onCall = (incoming) => void incoming.answer().then(resolve);
    await alice.register(stage.scene.server.callreel.sip[0]!, new Secret('secret'));
    const call = await stage.call({
      ice: {
        instructions: [{ name: 'startRecording', options: destination }],
        action: {
          ...{ name: 'connectMxp', destination: { type: 'username', endpoint: 'alice' } },
          ...{ record: true, recordingOptions: destination },
        },
      },
    });
    const callId = await stage.callIdOf(call);
    await (await coming).hangUp();
    await call.ended;
    await stage.recordingOf(callId, 1);
    const told = await stage.told(callId, 'notify', 'callingwarning');
    assert.match(String(told.errorMsg), /ignored with connectMxp/);
  });
});

/** From the first sample that is heard to the last. */
function trimmed(samples: Int16Array): Int16Array {
  const isHeard = (sample: number) => Math.abs(sample) > 100;
  return samples.subarray(samples.findIndex(isHeard), samples.findLastIndex(isHeard) + 1);
}
