import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { ConnectRequest, ConnectTo } from '../../src/call/connector.ts';
import type { Prompt } from '../../src/script/verb.ts';
import type { IncomingPhoneCall } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { findPayloadRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { assertPlayed, withoutHoles } from './heard.ts';
import { speak, VerbStage } from './verb-stage.ts';

/** `connect`, each on a caller of its own with called parties of its own. */
const stage = await VerbStage.open();
after(() => stage[Symbol.asyncDispose]());

const join = { policy: 'follow', eventCallback: undefined } as const;

function phoneAt(number: string, manner: Omit<ConnectTo, 'target'> = {}): ConnectTo {
  return { target: { kind: 'phone', number }, ...manner };
}

function connect(groups: ConnectTo[][], manner: Partial<ConnectRequest> = {}) {
  return { verb: 'connect', groups, join, ...manner, ringback: undefined } as const;
}

/** A phone that answers, and its call. */
function answering(): {
  onCall(call: IncomingPhoneCall): void;
  invite: Promise<IncomingPhoneCall>;
  call: Promise<PhoneCall>;
} {
  const invite = Promise.withResolvers<IncomingPhoneCall>();
  const call = invite.promise.then((incoming) => incoming.answer());
  return { onCall: invite.resolve, invite: invite.promise, call };
}

suite('connect', { concurrency: true }, () => {
  test('both are heard; the caller goes on when the called party hangs up', async () => {
    const { onCall, call, invite } = answering();
    await stage.dialled('+4921', onCall);
    const { perform, phone, leg } = await stage.answeredCall();
    const headers = [{ name: 'X-Order', value: '4711' }];
    const both = [{ name: 'X-Place', value: '1' }];
    const verb = connect([[phoneAt('+4921123456', { headers: both })]], { headers, from: '+15551230000' });
    const connected = perform(verb);
    const { from, session } = await invite;
    assert.equal(from.user, '+15551230000');
    const sent = new Map(session.headers.map(({ name, value }) => [name.toLowerCase(), value]));
    assert.deepEqual([sent.get('x-order'), sent.get('x-place')], ['4711', '1']);
    const called = await call;
    await stage.inConversation({ leg });
    const said = await speak(phone, 4000, 61);
    const replied = await speak(called, 4000, 62);
    await assertPlayed(called, said);
    await assertPlayed(phone, replied);
    await called.hangUp();
    const { outcome, peer, endedBy } = await connected;
    assert.deepEqual([outcome, endedBy, peer?.to], ['connected', 'called', '+4921123456']);
    const next = stage.prompt(1600);
    assert.equal((await perform({ verb: 'play', prompts: [next.prompt] })).outcome, 'finished');
  });

  test('one after the other: who is busy is passed over, and nobody is told why none was there', async () => {
    await stage.dialled('+4922', (incoming) => incoming.reject(486));
    const { onCall, call } = answering();
    await stage.dialled('+4923', onCall);
    const { perform } = await stage.answeredCall();
    const connected = perform(connect([[phoneAt('+4922123456')], [phoneAt('+4923123456')]]));
    await (await call).hangUp();
    assert.equal((await connected).peer?.to, '+4923123456');
    const busy = await perform(connect([[phoneAt('+4922123456')]]));
    assert.deepEqual(busy, { outcome: 'failed', reason: 'busy', sipStatus: 486 });
    const forbidden = await perform(connect([[phoneAt('+99912345678')]]));
    assert.deepEqual(forbidden, { outcome: 'failed', reason: 'outbound-forbidden' });
  });

  test('all at once: the first answer wins, the others stop ringing', async () => {
    const ringing = Promise.withResolvers<IncomingPhoneCall>();
    await stage.dialled('+4924', (incoming) => {
      incoming.ring();
      ringing.resolve(incoming);
    });
    const { onCall, call } = answering();
    await stage.dialled('+4925', async (incoming) => {
      await ringing.promise;
      onCall(incoming);
    });
    const { perform } = await stage.answeredCall();
    const connected = perform(
      connect([[phoneAt('+4924123456'), phoneAt('+4925123456'), phoneAt('+99912345678')]]),
    );
    const called = await call;
    const { session } = await ringing.promise;
    await eventually('the other phone stops', () => session.state === 'ended' || undefined);
    await called.hangUp();
    assert.equal((await connected).peer?.to, '+4925123456');
    const row = await eventually('the end of the other one', async () => {
      const path = `/v1/connections?direction=outgoing&to=${encodeURIComponent('+4924123456')}`;
      const { body } = await stage.http.get<{ results: { end_reason: string | null }[] }>(path);
      return body.results[0]?.end_reason ? body.results[0] : undefined;
    });
    assert.equal(row.end_reason, 'answered-elsewhere');
  });

  test('all at once: of several refusals the one that says most is told', async () => {
    await stage.dialled('+4926', (incoming) => incoming.reject(500));
    await stage.dialled('+4927', (incoming) => incoming.reject(603));
    const { perform } = await stage.answeredCall();
    const nobody = await perform(connect([[phoneAt('+4926123456'), phoneAt('+4927123456')]]));
    assert.deepEqual(nobody, { outcome: 'failed', reason: 'declined', sipStatus: 603 });
  });

  test('who does not answer in time is given up, each in its own', async () => {
    await stage.dialled('+4928', (incoming) => incoming.ring());
    const { perform } = await stage.answeredCall();
    const groups = [[phoneAt('+4928123456', { timeoutMs: 200 })], [phoneAt('+4928223456')]];
    const { outcome, reason } = await perform(connect(groups, { timeoutMs: 300 }));
    assert.deepEqual([outcome, reason], ['failed', 'no-answer']);
  });

  test('the called party is hung up after the longest duration', async () => {
    const { onCall, call } = answering();
    await stage.dialled('+4929', onCall);
    const { perform, leg } = await stage.answeredCall();
    const { endedBy } = await perform(connect([[phoneAt('+4929123456')]], { maxDurationMs: 300 }));
    assert.deepEqual([endedBy, leg.ended], ['caller', false]);
    assert.equal((await (await call).ended).cause, 'remote');
  });

  for (const answerOnBridge of [true, false])
    test(`the caller is answered ${answerOnBridge ? 'with' : 'ahead of'} the called party`, async () => {
      const prefix = answerOnBridge ? '+4931' : '+4932';
      const { onCall, call } = answering();
      const answeredBefore: boolean[] = [];
      await stage.dialled(prefix, async (incoming) => {
        incoming.ring();
        await perform({ verb: 'sleep', durationMs: 100 });
        answeredBefore.push(leg.answered);
        onCall(incoming);
      });
      const { perform, leg, answered } = await stage.call();
      const connected = perform(connect([[phoneAt(`${prefix}123456`)]], { answerOnBridge }));
      const called = await call;
      await answered;
      await called.hangUp();
      assert.equal((await connected).outcome, 'connected');
      assert.deepEqual(answeredBefore, [!answerOnBridge]);
    });

  test('prompts are heard over and over while it rings, ahead of the answer too', async () => {
    const { onCall, call } = answering();
    const music = stage.prompt(1600);
    const heard = Promise.withResolvers<void>();
    await stage.dialled('+4933', async (incoming) => {
      incoming.ring();
      await heard.promise;
      onCall(incoming);
    });
    const ringback: Prompt[] = [music.prompt, { kind: 'silence', durationMs: 20 }];
    const { perform, answered, progress, leg } = await stage.call();
    let ended = 0;
    stage.scene.server.callreel.media.onEvent(({ event, ...told }) => {
      if (event === 'play.ended' && 'legId' in told && told.legId === leg.id) ended++;
    });
    const connected = perform({ ...connect([[phoneAt('+4933123456')]], { answerOnBridge: true }), ringback });
    await eventually('the early answer', () => progress.includes(183) || undefined);
    // What came ahead of the early answer no phone can tell.
    const missed = ended;
    await eventually('some rounds of it', () => ended >= missed + 8 || undefined);
    assert.equal(leg.answered, false);
    heard.resolve();
    const called = await call;
    const phone = await answered;
    await stage.inConversation({ leg });
    const replied = await speak(called, 4000, 63);
    await assertPlayed(phone, replied);
    await called.hangUp();
    await connected;
    const played = withoutHoles(phone.received());
    let rounds = 0;
    for (let at = 0; ; rounds++) {
      const found = findPayloadRun(played.subarray(at), music.sound);
      if (found < 0) break;
      at += found + music.sound.length;
    }
    assert.ok(rounds >= 3, `heard ${rounds} times`);
  });

  test('the signal hangs the called party up, the end of the call too', async () => {
    for (const ends of ['signal', 'call'] as const) {
      const { onCall, call } = answering();
      await stage.dialled(ends === 'signal' ? '+4934' : '+4935', onCall);
      const { perform, phone, leg } = await stage.answeredCall();
      const given = new AbortController();
      const connected = perform(
        connect([[phoneAt(ends === 'signal' ? '+4934123456' : '+4935123456')]]),
        given.signal,
      );
      const called = await call;
      if (ends === 'signal') {
        given.abort(new Error('enough'));
        await assert.rejects(connected, /enough/);
        assert.equal(leg.ended, false);
      } else {
        await phone.hangUp();
        await assert.rejects(connected, { code: 'CALL_ENDED' });
      }
      assert.equal((await called.ended).cause, 'remote');
    }
  });

  test('a caller that gives up while it rings takes the call along', async () => {
    const ringing = Promise.withResolvers<IncomingPhoneCall>();
    await stage.dialled('+4936', (incoming) => {
      incoming.ring();
      ringing.resolve(incoming);
    });
    const { perform, phone } = await stage.answeredCall();
    const connected = perform(connect([[phoneAt('+4936123456')], [phoneAt('+4936223456')]]));
    const { session } = await ringing.promise;
    await phone.hangUp();
    await assert.rejects(connected, { code: 'CALL_ENDED' });
    await eventually('the phone stops', () => session.state === 'ended' || undefined);
  });

  test('headers that are not for a document to set are refused', async () => {
    const { perform } = await stage.answeredCall();
    const headers = [{ name: 'Route', value: '<sip:elsewhere.example>' }];
    await assert.rejects(perform(connect([[phoneAt('+4937123456', { headers })]])), {
      code: 'REQUEST_INVALID',
    });
  });
});
