import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { createLogger } from '../../src/logger.ts';
import { CallFailedError } from '../../src/testkit/call-failed-error.ts';
import { answer } from '../../src/testkit/callback-app.ts';
import { type Callback, SinchStage } from './sinch-stage.ts';

/** What an application is asked, by which URL, what becomes of answers that are none, and what it is told. */
const lines: string[] = [];
const stage = await SinchStage.open({
  settings: { CALLREEL_CALLBACKS_TIMEOUT_MS: '1500' },
  log: createLogger('trace', { write: (line) => void lines.push(line) }),
});
after(() => stage[Symbol.asyncDispose]());

const park = { name: 'park' };
const pathsOf = (id: string, event: Callback['event']) => stage.requests(id, event).map(({ path }) => path);

suite('the URLs of callbacks', { concurrency: 4 }, () => {
  for (const [what, wrong] of [
    ['an error', () => answer(500, 'no')],
    ['a redirection', () => answer(302, undefined, { location: 'http://127.0.0.1/' })],
    ['nonsense', () => answer(200, '{"action":')],
    ['an action that is not allowed', () => ({ action: { name: 'continue' } })],
    ['nothing in time', () => new Promise((resolve) => setTimeout(() => resolve({}), 2500))],
  ] as const)
    test(`the fallback is asked after ${what}`, async () => {
      let asked = 0;
      const call = await stage.call({ ice: () => (asked++ === 0 ? wrong() : { action: park }) }, {});
      const callId = await stage.callIdOf(call);
      assert.deepEqual(pathsOf(callId, 'ice'), ['/voice', '/voice-fallback']);
      for (const request of stage.requests(callId, 'ice')) stage.verified(request);
      await call.hangUp();
      await stage.told(callId, 'dice');
    });

  test('S20: what an answer quotes of credentials is in no line of the log', async () => {
    const options = { destinationUrl: 's3://bucket/', credentials: 'AKIA:NeverLogged:eu-central-1' };
    const svaml = { instructions: [{ name: 'startRecording', options }], action: park };
    const text = JSON.stringify(svaml);
    const wrong = [answer(500, svaml), answer(200, text.slice(0, -2)), answer(200, `${text},`)];
    for (const each of wrong) {
      let asked = 0;
      const call = await stage.call({ ice: () => (asked++ === 0 ? each : { action: park }) }, {});
      await call.hangUp();
      const callId = await stage.callIdOf(call);
      await stage.told(callId, 'dice');
      assert.equal(JSON.stringify(stage.callbacks(callId)).includes('NeverLogged'), false);
    }
    assert.ok(lines.some((line) => line.includes('a callback failed')));
    assert.deepEqual(
      lines.filter((line) => line.includes('NeverLogged')),
      [],
    );
  });

  test('DICE goes to the fallback where the primary one does not take it', async () => {
    let told = 0;
    const call = await stage.call({
      ice: { action: park, instructions: [{ name: 'answer' }] },
      dice: () => (told++ === 0 ? answer(503) : {}),
    });
    const callId = await stage.callIdOf(call);
    await call.hangUp();
    const [first, second] = await stage.all(callId, 'dice', 2);
    assert.deepEqual([first?.path, second?.path], ['/voice', '/voice-fallback']);
    for (const request of [first!, second!]) stage.verified(request);
  });
});

suite('answers', { concurrency: 4 }, () => {
  test('what is wrong with one is told, in the vendor’s code', async () => {
    const call = await stage.call({
      ice: { instructions: [{ name: 'startRecording', options: {} }], action: park },
    });
    const callId = await stage.callIdOf(call);
    const told = await stage.told(callId, 'notify', 'callingerror');
    assert.equal(told.errorCode, 40001);
    assert.match(String(told.errorMsg), /^instructions\[0\]\.options.*destinationUrl/);
    await call.ended;
    const dice = await stage.told(callId, 'dice');
    assert.deepEqual([dice.reason, dice.result], ['INVALIDSVAMLACTION', 'FAILED']);
  });

  test('without any the caller hears that, and the call ends', async () => {
    const call = await stage.call({ ice: () => answer(404) });
    await call.ended;
    assert.ok(
      call.received().some((sample) => Math.abs(sample) > 2000),
      'nothing was said',
    );
    const callId = await stage.callIdOf(call);
    const { reason } = await stage.told(callId, 'dice');
    assert.equal(reason, 'CALLBACKERROR');
  });

  test('what is asked for and not done is told, and the rest is done', async () => {
    const recordingOptions = {
      ...{ destinationUrl: 's3://bucket/mine.mp3', credentials: 'a:b:c', format: 'wav' },
    };
    const call = await stage.call({
      ice: { instructions: [{ name: 'startRecording', recordingOptions }], action: park },
    });
    const callId = await stage.callIdOf(call);
    const told = await stage.told(callId, 'notify', 'callingwarning');
    assert.match(String(told.errorMsg), /named \.mp3 and will hold wav/);
    await call.hangUp();
    await stage.told(callId, 'notify', 'recording_finished');
  });

  test('cookies come back in every later callback; too many bytes are refused', async () => {
    const set = (key: string, value: string) => ({ name: 'setCookie', key, value });
    const menu = { name: 'runMenu', menus: [{ id: 'main', timeoutMills: 100 }] };
    const call = await stage.call({
      ice: { instructions: [set('a', '1'), set('b', '2')], action: menu },
      pie: { instructions: [set('a', '3'), set('c', 'x'.repeat(1020))] },
    });
    const callId = await stage.callIdOf(call);
    await call.ended;
    assert.deepEqual((await stage.told(callId, 'pie')).cookies, { a: '1', b: '2' });
    assert.deepEqual((await stage.told(callId, 'dice')).cookies, { a: '1', b: '2' });
    const told = await stage.told(callId, 'notify', 'callingerror');
    assert.match(String(told.errorMsg), /1024 bytes/);
  });

  test('ICE: hangup refuses a call that nobody answered', async () => {
    const number = stage.newNumber();
    stage.scriptFor(number, { ice: { action: { name: 'hangup' } } });
    const phone = await stage.phone(number);
    await assert.rejects(phone.call(stage.scene.server.sipUri('3000')), CallFailedError);
    const callId = await stage.callIdByNumber(number);
    const dice = await stage.told(callId, 'dice');
    assert.deepEqual([dice.reason, dice.result, dice.duration], ['MANAGERHANGUP', 'N/A', 0]);
  });

  test('instructions without an action: the call ends behind them', async () => {
    const { url, sound } = stage.prompt(1600);
    const call = await stage.call({ ice: { instructions: [{ name: 'playFiles', ids: [url] }] } });
    await call.ended;
    assert.ok(sound.length > 0 && call.received().length >= sound.length);
  });
});

suite('menus', { concurrency: 4 }, () => {
  const menus = (more: object = {}) => ({
    name: 'runMenu',
    menus: [
      {
        ...{ id: 'main', timeoutMills: 3000 },
        options: [
          { dtmf: '1', action: 'return(sales)' },
          { dtmf: '2', action: 'menu(more)' },
        ],
      },
      { id: 'more', maxDigits: 4, timeoutMills: 3000 },
    ],
    ...more,
  });

  test('PIE: return, and its answer replaces what is left', async () => {
    const { url, sound } = stage.prompt(1600);
    const call = await stage.call({
      ice: { instructions: [{ name: 'answer' }], action: menus() },
      pie: { instructions: [{ name: 'playFiles', ids: [url] }], action: { name: 'hangup' } },
    });
    const callId = await stage.callIdOf(call);
    await call.pressDigit('1');
    const { menuResult } = await stage.told(callId, 'pie');
    assert.deepEqual(menuResult, { menuId: 'main', type: 'return', value: 'sales', inputMethod: 'dtmf' });
    await call.ended;
    assert.ok(call.received().length >= sound.length);
  });

  test('PIE: sequence, by way of another menu; without an answer the call ends', async () => {
    const call = await stage.call({ ice: { instructions: [{ name: 'answer' }], action: menus() } });
    const callId = await stage.callIdOf(call);
    for (const key of '242#') await call.pressDigit(key);
    const { menuResult } = await stage.told(callId, 'pie');
    assert.deepEqual(menuResult, { menuId: 'more', type: 'sequence', value: '42', inputMethod: 'dtmf' });
    await call.ended;
  });

  test('PIE: hangup, where the party hangs up in the menu', async () => {
    const call = await stage.call({ ice: { instructions: [{ name: 'answer' }], action: menus() } });
    const callId = await stage.callIdOf(call);
    await call.hangUp();
    const { menuResult } = await stage.told(callId, 'pie');
    assert.deepEqual(menuResult, { menuId: 'main', type: 'hangup' });
    assert.equal((await stage.told(callId, 'dice')).reason, 'CALLERHANGUP');
  });
});
