import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { assertHears, cli, refusal, type SinchClient, sip } from './client.ts';

/** Calls that are placed. */
export function calloutSuite(client: SinchClient): void {
  const { stage, voice } = client;

  suite('callouts', { concurrency: false }, () => {
    test('tts: the prompts are heard, then it is over', async () => {
      const { phone, call } = await stage.called();
      const { url, sound } = stage.prompt(4000);
      const { callId } = await voice.callouts.tts({
        ttsCalloutRequestBody: {
          method: 'ttsCallout',
          ttsCallout: {
            destination: sip(phone),
            cli,
            prompts: `#href[${url}]`,
            custom: 'mine',
            enableDice: true,
          },
        },
      });
      const placed = await call;
      assert.equal(placed.session.from.user, cli);
      await assertHears(placed, sound, 'the prompt');
      await placed.ended;
      const dice = await stage.told(callId!, 'dice');
      assert.deepEqual([dice.custom, dice.result, dice.to, dice.from], ['mine', 'ANSWERED', sip(phone), cli]);
      const over = await voice.calls.get({ callId: callId! });
      assert.deepEqual(
        [over.status, over.result, over.custom, over.to, over.from],
        ['FINAL', 'ANSWERED', 'mine', sip(phone), { type: 'number', endpoint: cli }],
      );
      client.assertValid(callId!, ['dice']);
    });

    test('tts: a text is spoken', async () => {
      const { phone, call } = await stage.called();
      await voice.callouts.tts({
        ttsCalloutRequestBody: {
          method: 'ttsCallout',
          ttsCallout: { destination: sip(phone), cli, text: 'Hello, this is a call.', locale: 'en-US' },
        },
      });
      const placed = await call;
      await placed.ended;
      const loud = placed.received().filter((sample) => Math.abs(sample) > 1000);
      assert.ok(loud.length > 1000, `${loud.length} loud samples`);
    });

    test('custom: whom ICE names; ACE is asked, and PIE by a menu', async () => {
      const custom = 'custom-of-a-callout';
      const menu = {
        id: 'main',
        mainPrompt: '',
        options: [{ dtmf: '1', action: 'return(one)' }],
        timeoutMills: 20_000,
      };
      const { url, sound } = stage.prompt(4000);
      stage.scriptFor(custom, {
        ace: { action: { name: 'runMenu', menus: [menu] } },
        pie: { instructions: [{ name: 'playFiles', ids: [url] }], action: { name: 'hangup' } },
      });
      const { phone, call } = await stage.called();
      const ice = { action: { name: 'connectSip', destination: sip(phone), cli } };
      const { callId } = await voice.callouts.custom({
        customCalloutRequestBody: {
          method: 'customCallout',
          customCallout: { custom, ice: JSON.stringify(ice) },
        },
      });
      const placed = await call;
      await stage.told(callId!, 'ace');
      const ongoing = await voice.calls.get({ callId: callId! });
      assert.deepEqual([ongoing.status, ongoing.result, ongoing.custom], ['ONGOING', 'ANSWERED', custom]);
      await placed.pressDigit('1');
      const pie = await stage.told(callId!, 'pie');
      assert.deepEqual(pie.menuResult, { menuId: 'main', type: 'return', value: 'one', inputMethod: 'dtmf' });
      await assertHears(placed, sound, 'what PIE is answered with');
      await placed.ended;
      await stage.told(callId!, 'dice');
      client.assertValid(callId!, ['ace', 'pie', 'dice']);
    });

    test('one that is not answered, and one that can not be placed', async () => {
      const { phone } = await stage.called(async (call) => {
        call.reject(486);
        return await Promise.reject(new Error('busy'));
      });
      const place = (to: object, more: object = {}) =>
        voice.callouts.tts({
          ttsCalloutRequestBody: {
            method: 'ttsCallout',
            ttsCallout: { destination: to as never, cli, text: 'hello', enableDice: true, ...more },
          },
        });
      const { callId } = await place(sip(phone));
      const dice = await stage.told(callId!, 'dice');
      assert.deepEqual([dice.result, dice.duration], ['BUSY', 0]);
      const over = await voice.calls.get({ callId: callId! });
      assert.deepEqual([over.status, over.result, over.duration], ['FINAL', 'BUSY', 0]);
      assert.deepEqual(await refusal(place({ type: 'number', endpoint: '12' })), [400, 40001]);
      assert.deepEqual(await refusal(place({ type: 'username', endpoint: 'nobody' })), [404, 40400]);
      assert.deepEqual(await refusal(place({ type: 'sip' })), [400, 40002]);
      assert.deepEqual(await refusal(place(sip(phone), { maxDuration: 99_999 })), [400, 40001]);
    });
  });
}
