import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { VoiceService } from '@sinch/voice';
import { assertNoRun } from '../../../src/testkit/sample-run.ts';
import { eventually } from '../eventually.ts';
import { isHeard, speak } from '../verb-stage.ts';
import { assertHears, free, recordingOptions, refusal, type SinchClient, sip } from './client.ts';

/** Calls that came in: looked at, managed, recorded. */
export function callSuite(client: SinchClient): void {
  const { stage, voice, publicUrl, key } = client;

  suite('calls', { concurrency: false }, () => {
    test('get, update, manageWithCallLeg on a call that came in', async () => {
      const called = await stage.called();
      const action = { name: 'connectSip', destination: sip(called.phone) };
      const caller = await stage.call({ ice: { action }, ace: { action: { name: 'continue' } } });
      const callee = await called.call;
      const callId = await stage.callIdOf(caller);
      await client.says(caller, callee, true);
      const ongoing = await voice.calls.get({ callId });
      assert.deepEqual(
        [ongoing.callId, ongoing.status, ongoing.result, ongoing.reason, ongoing.domain, ongoing.custom],
        [callId, 'ONGOING', 'ANSWERED', 'N/A', 'pstn', ''],
      );
      const { user: number } = caller.session.from;
      assert.deepEqual(ongoing.from, { type: 'number', endpoint: number });
      assert.deepEqual(ongoing.to, { type: 'did', endpoint: '3000' });
      assert.deepEqual([ongoing.userRate, ongoing.debit], [free, free]);
      assert.ok(ongoing.timestamp instanceof Date || !Number.isNaN(Date.parse(String(ongoing.timestamp))));

      const [forCaller, forCallee, forBoth] = [stage.prompt(4000), stage.prompt(4000), stage.prompt(4000)];
      const play = (callLeg: string, { url }: { url: string }) =>
        voice.calls.manageWithCallLeg({
          ...{ callId, callLeg },
          manageWithCallLegRequestBody: {
            instructions: [{ name: 'playFiles', ids: [url] }],
            action: { name: 'continue' },
          },
        });
      await play('callee', forCallee);
      await assertHears(callee, forCallee.sound, 'the callee alone');
      await play('caller', forCaller);
      await assertHears(caller, forCaller.sound, 'the caller alone');
      await play('both', forBoth);
      for (const each of [caller, callee]) await assertHears(each, forBoth.sound, 'both');
      assertNoRun(caller.received(), forCallee.sound);
      assertNoRun(callee.received(), forCaller.sound);

      const instructions = (name: 'startRecording' | 'stopRecording') => ({
        ...{ callId },
        updateCallRequestBody: {
          instructions: [name === 'startRecording' ? { name, options: recordingOptions } : { name }] as never,
          action: { name: 'continue' as const },
        },
      });
      await voice.calls.update(instructions('startRecording'));
      const recorded = await speak(caller, 4000, client.newSeed());
      await assertHears(callee, recorded, 'what is recorded');
      await voice.calls.update(instructions('stopRecording'));
      await stage.told(callId, 'notify', 'recording_finished');
      const unrecorded = await speak(caller, 4000, client.newSeed());
      const [samples] = await stage.recordingOf(callId);
      assert.ok(samples && isHeard(samples, recorded));
      assertNoRun(samples, unrecorded);

      await voice.calls.update({ callId, updateCallRequestBody: { action: { name: 'hangup' } } });
      await Promise.all([caller.ended, callee.ended]);
      const dice = await stage.told(callId, 'dice');
      const over = await voice.calls.get({ callId });
      assert.deepEqual([over.status, over.result, over.reason], ['FINAL', 'ANSWERED', 'MANAGERHANGUP']);
      assert.deepEqual([over.result, over.reason, over.duration], [dice.result, dice.reason, dice.duration]);
      assert.deepEqual(
        await refusal(voice.calls.update({ callId, updateCallRequestBody: { action: { name: 'hangup' } } })),
        [404, 40400],
      );
      await eventually('it is available', () =>
        stage.callbacks(callId, 'notify').find(({ type }) => type === 'recording_available'),
      );
      client.assertValid(callId, ['ice', 'ace', 'recording_finished', 'recording_available', 'dice']);
    });

    test('what the vendor refuses is refused', async () => {
      const callId = 'ffffffffffffffff';
      assert.deepEqual(await refusal(voice.calls.get({ callId })), [404, 40400]);
      const update = (action: object, instructions: object[] = []) =>
        voice.calls.update({ callId, updateCallRequestBody: { instructions, action } as never });
      assert.deepEqual(await refusal(update({ name: 'hangup' })), [404, 40400]);
      assert.deepEqual(await refusal(update({ name: 'connectConf', conferenceId: 'a' })), [400, 40003]);
      assert.deepEqual(await refusal(update({ name: 'hangup' }, [{ name: 'say' }])), [400, 40002]);
      const leg = voice.calls.manageWithCallLeg({ callId, callLeg: 'nobody' });
      assert.deepEqual(await refusal(leg), [400, 40001]);
      const stranger = new VoiceService({
        ...{ applicationKey: key, applicationSecret: 'bm9uc2Vuc2U=', voiceHostname: publicUrl },
      });
      assert.deepEqual(await refusal(stranger.calls.get({ callId })), [401, 40108]);
    });
  });
}
