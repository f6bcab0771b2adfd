import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { parseSipUri } from '../../src/sip/uri.ts';
import type { Phone } from '../../src/testkit/phone.ts';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { SinchStage } from './sinch-stage.ts';
import { isHeard, speak } from './verb-stage.ts';

/** Who a call is put through to: ACE when that party answers, its recording, and how it ended. */
// An answer that does not come is not waited for in vain: it would be longer than a test may take.
const stage = await SinchStage.open({ settings: { CALLREEL_CALLBACKS_TIMEOUT_MS: '60000' } });
after(() => stage[Symbol.asyncDispose]());

const recordingOptions = { destinationUrl: 's3://bucket/', credentials: 'a:b:c', format: 'wav' };
const connectSip = ({ sipUri: endpoint }: Phone, more: object = {}) => ({
  ...{ name: 'connectSip', destination: { type: 'sip', endpoint }, ...more },
});
const inConversation = async (callId: string) => {
  const { calls } = stage.scene.server.callreel;
  await eventually('two in a conversation', () => calls.conferenceOf(callId)?.memberCount === 2 || undefined);
  await calls.conferenceOf(callId)!.worker.send({ verb: 'worker.stats' });
};

suite('ACE', { concurrency: 4 }, () => {
  test('is asked before both are put through: the called party hears what is said, then they talk', async () => {
    const { phone, call: coming } = await stage.called();
    const [before, said] = [stage.prompt(1600), stage.prompt(4000)];
    const call = await stage.call({
      ice: { action: connectSip(phone, { callHeaders: [{ key: 'order', value: '17' }] }) },
      ace: {
        instructions: [
          { name: 'playFiles', ids: [before.url] },
          { name: 'startRecording', options: recordingOptions },
          { name: 'playFiles', ids: [said.url] },
        ],
        action: { name: 'continue' },
      },
    });
    const called = await coming;
    assert.equal(called.session.headers.find(({ name }) => name === 'X-order')?.value, '17');
    const callId = await stage.callIdOf(call);
    await inConversation(callId);
    for (const { sound } of [before, said]) assert.ok(isHeard(called.received(), sound), 'not heard');
    assert.equal(isHeard(call.received(), said.sound), false);
    const [theirs, ours] = [await speak(called, 4000, 61), await speak(call, 4000, 62)];
    await called.hangUp();
    await call.ended;
    const [ace, dice] = [await stage.told(callId, 'ace'), await stage.told(callId, 'dice')];
    assert.equal(ace.applicationKey, stage.keys.applicationKey);
    assert.deepEqual([dice.reason, dice.result], ['CALLEEHANGUP', 'ANSWERED']);
    const calledId = await connectionOf(called.session.requestUri);
    const [samples] = await stage.recordingOf(calledId);
    for (const sound of [said.sound, theirs, ours]) assert.ok(isHeard(samples!, sound), 'not recorded');
    assertNoRun(samples!, before.sound, { minSamples: 16 });
    await stage.told(callId, 'notify', 'recording_finished');
  });

  test('continue with record, from the answer on; stopRecording ends it', async () => {
    const { phone, call: coming } = await stage.called();
    const call = await stage.call({
      ice: { action: connectSip(phone) },
      ace: { action: { name: 'Continue', record: true, recordingOptions } },
    });
    const called = await coming;
    const callId = await stage.callIdOf(call);
    await inConversation(callId);
    const said = await speak(call, 4000, 63);
    await stage.manage(callId, { instructions: [{ name: 'stopRecording' }] });
    await stage.told(callId, 'notify', 'recording_finished');
    const after = await speak(call, 4000, 64);
    const [samples] = await stage.recordingOf(await connectionOf(called.session.requestUri));
    assert.ok(isHeard(samples!, said), 'not recorded');
    assertNoRun(samples!, after, { minSamples: 16 });
    await call.hangUp();
    await called.ended;
    assert.equal((await stage.told(callId, 'dice')).reason, 'CALLERHANGUP');
  });

  test('hangup: nobody is put through, and both calls end', async () => {
    const { phone, call: coming } = await stage.called();
    const number = stage.newNumber();
    stage.scriptFor(number, { ice: { action: connectSip(phone) }, ace: { action: { name: 'hangup' } } });
    const caller = await stage.phone(number);
    await assert.rejects(caller.call(stage.scene.server.sipUri('3000')));
    await (await coming).ended;
    const dice = await stage.told(await stage.callIdByNumber(number), 'dice');
    assert.equal(dice.reason, 'MANAGERHANGUP');
  });

  for (const who of ['called party', 'caller'] as const)
    test(`the ${who} hangs up before it is answered: nobody waits for the answer`, async () => {
      const { phone, call: coming } = await stage.called();
      const asked = Promise.withResolvers<void>();
      const late = Promise.withResolvers<object>();
      const number = stage.newNumber();
      stage.scriptFor(number, {
        ice: { instructions: [{ name: 'answer' }], action: connectSip(phone) },
        ace: () => {
          asked.resolve();
          return late.promise;
        },
      });
      const call = await (await stage.phone(number)).call(stage.scene.server.sipUri('3000'));
      const called = await coming;
      await asked.promise;
      await (who === 'caller' ? call : called).hangUp();
      await Promise.all([call.ended, called.ended]);
      const callId = await stage.callIdByNumber(number);
      const dice = await stage.told(callId, 'dice');
      late.resolve({});
      assert.equal(dice.reason, who === 'caller' ? 'CALLERHANGUP' : 'CALLEEHANGUP');
      assert.equal(stage.callbacks(callId, 'dice').length, 1);
    });

  test('connectConf: both go there', async () => {
    const { phone, call: coming } = await stage.called();
    const conferenceId = 'both go there';
    const [call] = await Promise.all([
      stage.call({
        ice: { action: connectSip(phone) },
        ace: { action: { name: 'connectConf', conferenceId } },
      }),
      coming,
    ]);
    await stage.scene.participants(conferenceId, 2);
    const callId = await stage.callIdOf(call);
    await call.hangUp();
    await stage.scene.participants(conferenceId, 1);
    assert.equal(stage.callbacks(callId, 'dice').length, 0, 'the call goes on');
    await (await coming).hangUp();
    assert.equal((await stage.told(callId, 'dice')).reason, 'CALLERHANGUP');
  });

  test('runMenu: the called party chooses; PIE continues', async () => {
    const { phone, call: coming } = await stage.called();
    const menus = [{ id: 'main', options: [{ dtmf: '1', action: 'return(yes)' }] }];
    const calling = stage.call({
      ice: { action: connectSip(phone) },
      ace: { action: { name: 'runMenu', menus } },
      pie: { action: { name: 'continue' } },
    });
    const called = await coming;
    await called.pressDigit('1');
    const call = await calling;
    const callId = await stage.callIdOf(call);
    await inConversation(callId);
    const { menuResult } = await stage.told(callId, 'pie');
    assert.deepEqual(menuResult, { menuId: 'main', type: 'return', value: 'yes', inputMethod: 'dtmf' });
    const said = await speak(call, 4000, 65);
    assert.ok(isHeard(called.received(), said), 'they do not talk');
    await call.hangUp();
  });

  test('suppressCallbacks: neither ACE nor DICE; without an answer to ACE they talk', async () => {
    const { phone } = await stage.called();
    const quiet = await stage.call({ ice: { action: connectSip(phone, { suppressCallbacks: true }) } });
    const quietId = await stage.callIdOf(quiet);
    await inConversation(quietId);
    await quiet.hangUp();
    const other = await stage.called();
    const call = await stage.call({ ice: { action: connectSip(other.phone) } });
    const callId = await stage.callIdOf(call);
    await inConversation(callId);
    await call.hangUp();
    await stage.told(callId, 'dice');
    assert.deepEqual(
      stage.callbacks(quietId).map(({ event }) => event),
      ['ice'],
    );
  });
});

suite('connecting', { concurrency: 4 }, () => {
  test('the flag records the call, with both voices, and ends with it', async () => {
    const { phone, call: coming } = await stage.called();
    const call = await stage.call({ ice: { action: connectSip(phone, { recordingOptions }) } });
    const called = await coming;
    const callId = await stage.callIdOf(call);
    await inConversation(callId);
    const [ours, theirs] = [await speak(call, 4000, 66), await speak(called, 4000, 67)];
    await called.hangUp();
    await call.ended;
    const [samples] = await stage.recordingOf(callId);
    assertExactRun(samples!, ours);
    assert.ok(isHeard(samples!, theirs), 'the other one is not recorded');
    await stage.told(callId, 'notify', 'recording_finished');
  });

  for (const [status, reason, result] of [
    [486, 'CALLEEHANGUP', 'BUSY'],
    [480, 'TIMEOUT', 'NOANSWER'],
    [404, 'USERNOTFOUND', 'FAILED'],
  ] as const)
    test(`DICE of a party that answers ${status}: ${reason}, ${result}`, async () => {
      const phone = await stage.phone();
      phone.onCall = (incoming) => incoming.reject(status);
      const number = stage.newNumber();
      stage.scriptFor(number, { ice: { action: connectSip(phone) } });
      const caller = await stage.phone(number);
      await assert.rejects(caller.call(stage.scene.server.sipUri('3000')));
      const callId = await stage.callIdByNumber(number);
      const dice = await stage.told(callId, 'dice');
      assert.deepEqual([dice.reason, dice.result, dice.duration], [reason, result, 0]);
    });

  test('connectPstn: by a trunk, its keys pressed when the called party answers, its longest duration', async () => {
    const { phone, call: coming } = await stage.called();
    const trunk = { name: 'pstn', host: '127.0.0.1', port: parseSipUri(phone.sipUri)?.port };
    await stage.http.json('POST', '/v1/trunks', { ...trunk, routes: [{ prefix: '+4987' }] });
    const call = await stage.call({
      ice: {
        action: { name: 'connectPstn', number: '+49 87 123', cli: '+49871', dtmf: '12#', maxDuration: 2 },
      },
    });
    const called = await coming;
    assert.equal(called.session.from.user, '+49871');
    await eventually('the keys', () => called.receivedDigits === '12#' || undefined);
    const callId = await stage.callIdOf(call);
    await call.ended;
    assert.equal((await stage.told(callId, 'dice')).result, 'ANSWERED');
  });
});

/** Of the leg of a called party. */
async function connectionOf(requestUri: string): Promise<string> {
  const { body } = await stage.http.get<{ results: { connection_id: string; to: string }[] }>(
    '/v1/connections?limit=100',
  );
  const found = body.results.find(({ to }) => to === requestUri || `sip:${to}` === requestUri);
  assert.ok(found, JSON.stringify([requestUri, body.results.map(({ to }) => to)]));
  return found.connection_id;
}
