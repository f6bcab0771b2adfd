import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { SinchStage } from './sinch-stage.ts';
import { isHeard, speak } from './verb-stage.ts';

/** Manage Call: what a request does to a call that goes on, and to one of its parties. */
const stage = await SinchStage.open();
after(() => stage[Symbol.asyncDispose]());

const recordingOptions = { destinationUrl: 's3://bucket/', credentials: 'a:b:c', format: 'wav' };
const park = { instructions: [{ name: 'answer' }], action: { name: 'park' } };

async function pair(): Promise<{ call: PhoneCall; called: PhoneCall; callId: string }> {
  const { phone, call: coming } = await stage.called();
  const destination = { type: 'sip', endpoint: phone.sipUri };
  const call = await stage.call({ ice: { action: { name: 'connectSip', destination } } });
  const [called, callId] = [await coming, await stage.callIdOf(call)];
  const { calls } = stage.scene.server.callreel;
  await eventually('two in a conversation', () => calls.conferenceOf(callId)?.memberCount === 2 || undefined);
  await calls.conferenceOf(callId)!.worker.send({ verb: 'worker.stats' });
  return { call, called, callId };
}

suite('recordings', { concurrency: 3 }, () => {
  for (const [shape, svaml] of [
    [
      'an instruction with options',
      { instructions: [{ name: 'StartRecording', options: recordingOptions }] },
    ],
    ['an action with recordingOptions', { action: { name: 'startRecording', recordingOptions } }],
    [
      'the older options.destination',
      {
        instructions: [
          {
            name: 'startRecording',
            options: { ...recordingOptions, destination: 's3://bucket/', destinationUrl: undefined },
          },
        ],
      },
    ],
  ] as const)
    test(`${shape} starts one, stopRecording ends it`, async () => {
      const call = await stage.call({ ice: park });
      const callId = await stage.callIdOf(call);
      const before = await speak(call, 2400, 81);
      await stage.manage(callId, svaml);
      const said = await speak(call, 4000, 82);
      await stage.manage(callId, { action: { name: 'stopRecording' } });
      const after = await speak(call, 2400, 83);
      const [samples] = await stage.recordingOf(callId);
      assertExactRun(samples!, said);
      for (const other of [before, after]) assertNoRun(samples!, other, { minSamples: 16 });
      await stage.told(callId, 'notify', 'recording_finished');
      await call.hangUp();
      await stage.told(callId, 'dice');
      assert.equal(stage.callbacks(callId, 'notify').length, 1);
    });
});

suite('calls that go on', { concurrency: 3 }, () => {
  test('hangup ends both', async () => {
    const { call, called, callId } = await pair();
    await stage.manage(callId, { action: { name: 'hangup' } });
    await Promise.all([call.ended, called.ended]);
    const dice = await stage.told(callId, 'dice');
    assert.deepEqual([dice.reason, dice.result], ['MANAGERHANGUP', 'ANSWERED']);
  });

  for (const leg of ['caller', 'callee', 'both'] as const)
    test(`a prompt to ${leg}, and the call goes on`, async () => {
      const { call, called, callId } = await pair();
      const { url, sound } = stage.prompt(4000);
      const instructions = [{ name: 'playFiles', ids: [url] }];
      await stage.manage(callId, { instructions, action: { name: 'continue' } }, leg);
      const hears = (phone: PhoneCall) => isHeard(phone.received(), sound);
      const wanted = { caller: [call], callee: [called], both: [call, called] }[leg];
      await eventually('it is heard', () => wanted.every(hears) || undefined);
      const others = [call, called].filter((phone) => !wanted.includes(phone));
      assert.ok(!others.some(hears), 'the other one hears it');
      const said = await speak(call, 4000, 84);
      assert.ok(isHeard(called.received(), said), 'they do not talk any more');
      await call.hangUp();
    });

  test('park puts a party on hold, and continue gives it back', async () => {
    const { call, called, callId } = await pair();
    const { url, sound } = stage.prompt(1600);
    const action = { name: 'park', introPrompt: `#href[${url}]` };
    await stage.manage(callId, { action }, 'callee');
    await eventually('the prompt', () => isHeard(called.received(), sound) || undefined);
    const parked = await speak(call, 4000, 85);
    await stage.manage(callId, { action: { name: 'continue' } }, 'callee');
    const said = await speak(call, 4000, 86);
    await eventually('the caller', () => isHeard(called.received(), said) || undefined);
    assert.equal(isHeard(called.received(), parked), false);
    await call.hangUp();
    await stage.told(callId, 'dice');
  });

  test('continue: a parked call that has nobody to talk to ends, behind its instructions', async () => {
    const call = await stage.call({ ice: park });
    const { url, sound } = stage.prompt(1600);
    await stage.manage(await stage.callIdOf(call), {
      instructions: [{ name: 'playFiles', ids: [url] }],
      action: { name: 'continue' },
    });
    await call.ended;
    assert.ok(isHeard(call.received(), sound));
  });

  test('a party that is not there, and a call that is over', async () => {
    const call = await stage.call({ ice: park });
    const callId = await stage.callIdOf(call);
    const path = `/calling/v1/calls/id/${callId}`;
    const hangup = { action: { name: 'hangup' } };
    assert.equal((await stage.request('PATCH', `${path}/leg/callee`, hangup)).status, 404);
    await stage.manage(callId, hangup, 'caller');
    await call.ended;
    await stage.told(callId, 'dice');
    assert.equal((await stage.request('PATCH', path, hangup)).status, 404);
  });
});
