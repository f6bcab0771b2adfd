import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { free, refusal, type SinchClient } from './client.ts';

/** Numbers and callback URLs of an application. */
export function applicationSuite(client: SinchClient): void {
  const { stage, voice, key } = client;

  suite('applications', { concurrency: false }, () => {
    const number = '+12025550123';
    const { applications } = voice;
    const mine = async () => {
      const { numbers = [] } = await applications.listNumbers({});
      return numbers.find((each) => each.number === number);
    };

    test('callbacks are read and changed', async () => {
      const before = await applications.getCallbackURLs({ applicationkey: key });
      assert.match(before.url?.primary ?? '', /\/voice$/);
      const url = { primary: before.url!.primary!, fallback: 'http://127.0.0.1:9/other' };
      await applications.updateCallbackURLs({ applicationkey: key, updateCallbacksRequestBody: { url } });
      assert.deepEqual(await applications.getCallbackURLs({ applicationkey: key }), { url });
      await applications.updateCallbackURLs({ applicationkey: key, updateCallbacksRequestBody: before });
      assert.deepEqual(await applications.getCallbackURLs({ applicationkey: key }), before);
      const other = applications.getCallbackURLs({ applicationkey: 'another' });
      assert.deepEqual(await refusal(other), [404, 40400]);
    });

    test('a number is assigned, answers, and is unassigned', async () => {
      assert.equal(await mine(), undefined);
      await applications.assignNumbers({
        assignNumbersRequestBody: { numbers: [number], applicationkey: key, capability: 'voice' },
      });
      assert.deepEqual(await mine(), { number, applicationkey: key, capability: 'voice' });
      const from = stage.newNumber();
      const phone = await stage.phone(from);
      stage.scriptFor(from, {
        ice: { instructions: [{ name: 'answer' }], action: { name: 'hangup' } },
      });
      const call = await phone.call(stage.scene.server.sipUri(number));
      await call.ended;
      const ice = await stage.told(await stage.callIdOf(call), 'ice');
      assert.deepEqual(ice.to, { type: 'did', endpoint: number });
      await applications.unassignNumber({ unassignNumbersRequestBody: { number, applicationkey: key } });
      assert.deepEqual(await mine(), { number, capability: 'voice' });
      const twice = applications.unassignNumber({ unassignNumbersRequestBody: { number } });
      assert.deepEqual(await refusal(twice), [404, 40400]);
      const sms = applications.assignNumbers({
        assignNumbersRequestBody: { numbers: [number], capability: 'sms' },
      });
      assert.deepEqual(await refusal(sms), [400, 40001]);
    });

    test('a number is known by its country', async () => {
      const { number: found } = await applications.queryNumber({ number: '+46 73 017 01 01' });
      assert.deepEqual(found, {
        ...{ countryId: 'SE', numberType: 'Unknown', normalizedNumber: '+46730170101', restricted: true },
        rate: free,
      });
      assert.deepEqual(await refusal(applications.queryNumber({ number: 'abc' })), [400, 40001]);
    });
  });
}
