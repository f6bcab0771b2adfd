import assert from 'node:assert/strict';
import { test } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { bodyText, headerValue, type SipRequest } from './message.ts';
import { tagOf } from './name-address.ts';
import { referRequestTable } from './refer-request.ts';
import { referralTable } from './referral.ts';
import { buildResponse } from './serializer.ts';
import type { SipReferral, SipSession, SipSessionHandlers } from './session.ts';
import {
  Arrivals,
  acceptAll,
  portOf,
  RawPeer,
  recordingHandlers,
  sdp,
  startUserAgent,
} from './test-peers.ts';

throwOnUnlistedTransitions();

testTransitions('referral', referralTable, {
  states: ['asked', 'active', 'silent', 'terminated'],
  events: [
    'accept',
    'accept-silently',
    'reject',
    'progress',
    'final',
    'expired',
    'notify-refused',
    'dialog-ended',
  ],
  expected: [
    ['asked', 'accept', 'active', 'RFC 3515 2.4.2: 202 Accepted; 2.4.4: a NOTIFY MUST be sent at once'],
    ['asked', 'accept-silently', 'silent', 'RFC 4488 4: no implicit subscription'],
    ['asked', 'reject', 'terminated', 'RFC 3515 2.4.2: a final status that is no 2xx'],
    ['asked', 'dialog-ended', 'terminated', 'RFC 3261 15.1.2: pending requests are answered 487'],
    ['active', 'progress', 'active', 'RFC 3515 2.4.5: NOTIFYs of progress'],
    ['active', 'final', 'terminated', 'RFC 3515 2.4.7: terminated, noresource'],
    ['active', 'expired', 'terminated', 'RFC 6665 4.2.2: terminated, timeout'],
    ['active', 'notify-refused', 'terminated', 'RFC 6665 4.2.2: 481 removes the subscription'],
    ['active', 'dialog-ended', 'terminated', 'RFC 5057 4.2 leaves it to us'],
    ['silent', 'progress', 'silent', 'RFC 4488 4: nothing is sent'],
    ['silent', 'final', 'terminated', 'RFC 4488 4: nothing is sent'],
    ['silent', 'dialog-ended', 'terminated', 'RFC 4488 4: nothing is sent'],
  ],
});

testTransitions('refer-request', referRequestTable, {
  states: ['sent', 'accepted', 'subscribed', 'terminated'],
  events: [
    '2xx',
    '2xx-silent',
    '300-699',
    'notify',
    'notify-terminated',
    'timer-n',
    'expired',
    'dialog-ended',
  ],
  expected: [
    ['sent', '2xx', 'accepted', 'RFC 6665 figure 1 (notify_wait): 2xx to the request'],
    ['sent', '2xx-silent', 'terminated', 'RFC 4488 4'],
    ['sent', '300-699', 'terminated', 'RFC 6665 4.1.2.1: no subscription was made'],
    ['sent', 'notify', 'subscribed', 'RFC 6665 4.1.2.4: NOTIFY before the 2xx'],
    ['sent', 'notify-terminated', 'terminated', 'RFC 6665 figure 1: NOTIFY, state=terminated'],
    ['sent', 'dialog-ended', 'terminated', 'RFC 5057 4.2 leaves it to us'],
    ['accepted', 'notify', 'subscribed', 'RFC 6665 figure 1: NOTIFY, state=active or pending'],
    ['accepted', 'notify-terminated', 'terminated', 'RFC 6665 figure 1: NOTIFY, state=terminated'],
    ['accepted', 'timer-n', 'terminated', 'RFC 6665 4.1.2.4: timer N'],
    ['accepted', 'dialog-ended', 'terminated', 'RFC 5057 4.2 leaves it to us'],
    ['subscribed', '2xx', 'subscribed', 'RFC 6665 4.1.2.4'],
    ['subscribed', '2xx-silent', 'subscribed', 'RFC 6665 4.1.2.4'],
    ['subscribed', '300-699', 'terminated', 'RFC 6665 4.1.2.1'],
    ['subscribed', 'notify', 'subscribed', 'RFC 6665 figure 1'],
    ['subscribed', 'notify-terminated', 'terminated', 'RFC 6665 figure 1'],
    ['subscribed', 'expired', 'terminated', 'RFC 6665 figure 1: subscription expires'],
    ['subscribed', 'dialog-ended', 'terminated', 'RFC 5057 4.2 leaves it to us'],
  ],
});

/** Two user agents in a call; `callee` takes referrals where `takes` says so. */
async function twoInCall({ takes = true } = {}) {
  const referrals = new Arrivals<SipReferral>();
  const sessions = new Arrivals<SipSession>();
  const more: Partial<SipSessionHandlers> = takes ? { referred: (referral) => referrals.add(referral) } : {};
  const callee = recordingHandlers(more);
  const server = await startUserAgent({ onInvite: acceptAll(sessions, callee.handlers) });
  const client = await startUserAgent();
  const caller = recordingHandlers();
  const call = client.invite({
    requestUri: `sip:callee@127.0.0.1:${portOf(server, 'udp')}`,
    from: '<sip:caller@example.com>',
    offer: sdp,
    handlers: caller.handlers,
  });
  await caller.events.until((event) => event === 'established');
  await callee.events.until((event) => event === 'established');
  const refer = call.refer?.bind(call);
  assert.ok(refer);
  const close = () => Promise.all([client.close(), server.close()]);
  return { call, refer, referrals, session: await sessions.next(), server, close };
}

test('a transfer is accepted, told about and comes to its end', async () => {
  const { refer, referrals, close } = await twoInCall();
  const told: number[] = [];
  const heard = new Arrivals<number>();
  const outcome = refer('sip:bob@example.com;transport=tcp', {
    replaces: { callId: 'other@host', toTag: 'their', fromTag: 'our', earlyOnly: false },
    referredBy: '<sip:caller@example.com>',
    progress: (status) => {
      told.push(status);
      heard.add(status);
    },
  });
  const referral = await referrals.next();
  assert.deepEqual(referral.target, {
    displayName: undefined,
    uri: 'sip:bob@example.com;transport=tcp',
    user: 'bob',
    host: 'example.com',
  });
  assert.deepEqual(referral.replaces, {
    callId: 'other@host',
    toTag: 'their',
    fromTag: 'our',
    earlyOnly: false,
  });
  assert.equal(referral.referredBy, '<sip:caller@example.com>');
  await assert.rejects(refer('sip:carol@example.com'), { code: 'CONFLICT' });
  referral.accept();
  await heard.next();
  referral.progress(180);
  await heard.next();
  await referral.finish(486, 'Busy at the moment');
  assert.deepEqual(await outcome, { status: 486, reason: 'Busy at the moment' });
  assert.deepEqual(told, [100, 180]);
  // Nothing follows.
  referral.progress(183);
  await referral.finish(200);
  referral.reject(603);
  const again = refer('sip:carol@example.com');
  (await referrals.next()).reject(403, 'Not You');
  await assert.rejects(again, { code: 'SIP_REFUSED', where: '403' });
  await close();
});

test('without a taker it is declined; the call goes on', async () => {
  const { refer, call, close } = await twoInCall({ takes: false });
  await assert.rejects(refer('sip:bob@example.com'), { code: 'SIP_REFUSED', where: '603' });
  assert.equal(call.state, 'established');
  await close();
});

test('the end of the call ends what is under way', async () => {
  const asked = await twoInCall();
  const pending = asked.refer('sip:bob@example.com');
  const referral = await asked.referrals.next();
  asked.session.end();
  // Whichever comes first: the 487 to the REFER, or the BYE.
  const outcome = await pending.catch((error) => error.where);
  assert.ok(outcome === '487' || outcome.status === undefined, JSON.stringify(outcome));
  referral.accept();
  await referral.finish(200);
  await asked.close();
});

/** A peer by hand, in a call that our user agent answered. */
async function handMade() {
  const referrals = new Arrivals<SipReferral>();
  const sessions = new Arrivals<SipSession>();
  const callee = recordingHandlers({ referred: (referral) => referrals.add(referral) });
  const server = await startUserAgent({ onInvite: acceptAll(sessions, callee.handlers) });
  const peer = await RawPeer.open(portOf(server, 'udp'));
  peer.request('INVITE', { body: sdp });
  const toTag = tagOf((await peer.response('INVITE')).to);
  peer.request('ACK', { toTag, branch: 'z9hG4bK-ack' });
  await callee.events.until((event) => event === 'established');
  let sequence = 1;
  const ask = async (method: string, ...extra: string[]) => {
    peer.request(method, { toTag, sequence: ++sequence, extra });
    return (await peer.response(method)).status;
  };
  const answer = (request: SipRequest, status: number) =>
    peer.send(buildResponse(request, status, {}).bytes.toString(), request.via.port);
  const close = async () => {
    assert.equal(await ask('BYE'), 200);
    await server.close();
    peer.close();
  };
  return { server, peer, referrals, ask, answer, close, toTag, sequence: () => sequence };
}

test('the NOTIFYs say what they must, one after the other', async () => {
  const { peer, referrals, answer, close, toTag, ask } = await handMade();
  peer.request('REFER', { toTag, sequence: 10, extra: ['Refer-To: <tel:+15550100>'] });
  const referral = await referrals.next();
  assert.deepEqual(
    [referral.target.user, referral.replaces, referral.referredBy],
    ['+15550100', undefined, undefined],
  );
  referral.accept();
  assert.equal((await peer.response('REFER')).status, 202);
  const first = await peer.incoming('NOTIFY');
  assert.equal(headerValue(first, 'event'), 'refer;id=10');
  assert.match(headerValue(first, 'subscription-state') ?? '', /^active;expires=\d+$/);
  assert.match(headerValue(first, 'content-type') ?? '', /^message\/sipfrag/);
  assert.ok(headerValue(first, 'contact'));
  assert.equal(bodyText(first), 'SIP/2.0 100 Trying\r\n');
  // What happens while it is on its way: the newest progress, and the end, which is never left out.
  for (const status of [180, 181, 182, 183]) referral.progress(status);
  const finished = referral.finish(200);
  answer(first, 200);
  const bodies: string[] = [];
  for (let last = ''; !last.startsWith('terminated'); ) {
    const notify = await peer.incoming('NOTIFY');
    last = headerValue(notify, 'subscription-state') ?? '';
    bodies.push(bodyText(notify));
    answer(notify, 200);
  }
  assert.equal(bodies.at(-1), 'SIP/2.0 200 OK\r\n');
  assert.ok(bodies.length <= 3, bodies.join());
  await finished;
  for (let sent = 2; sent < 11; sent++) await ask('OPTIONS');
  await close();
});

test('what cannot be acted on is refused', async () => {
  const { ask, close, referrals } = await handMade();
  assert.equal(await ask('REFER'), 400);
  assert.equal(await ask('REFER', 'Refer-To: <sip:a@b>', 'Refer-To: <sip:c@d>'), 400);
  assert.equal(await ask('REFER', 'Refer-To: <mailto:a@example.com>'), 416);
  assert.equal(await ask('REFER', 'Refer-To: <sip:a@example.com;method=BYE>'), 603);
  assert.equal(await ask('REFER', 'Refer-To: <sip:a@example.com?Replaces=nothing>'), 400);
  assert.equal(await ask('REFER', 'Refer-To: <sip:a@example.com?Replaces=%ZZ>'), 400);
  assert.equal(await ask('REFER', `Refer-To: <sip:${'a'.repeat(3000)}@example.com>`), 400);
  assert.equal(await ask('NOTIFY', 'Event: refer', 'Subscription-State: active'), 481);
  assert.equal(await ask('NOTIFY', 'Event: presence', 'Subscription-State: active'), 489);
  assert.deepEqual(referrals.all, []);
  await close();
});

test('Refer-Sub: false is told nothing, and headers in the URI are left out', async () => {
  const { peer, toTag, referrals, close, ask } = await handMade();
  const target = 'sip:bob@example.com?Subject=x&Route=%3Csip:10.0.0.1%3E';
  peer.request('REFER', { toTag, sequence: 2, extra: [`Refer-To: <${target}>`, 'Refer-Sub: false'] });
  const referral = await referrals.next();
  assert.equal(referral.target.uri, 'sip:bob@example.com');
  referral.accept();
  const accepted = await peer.response('REFER');
  assert.deepEqual([accepted.status, headerValue(accepted, 'refer-sub')], [202, 'false']);
  referral.progress(180);
  await referral.finish(200);
  assert.ok(!peer.texts.some((text) => text.startsWith('NOTIFY')));
  await ask('OPTIONS');
  await close();
});

test('outside a call it is forbidden', async () => {
  const server = await startUserAgent();
  const peer = await RawPeer.open(portOf(server, 'udp'));
  peer.request('REFER', { extra: ['Refer-To: <sip:bob@example.com>'] });
  assert.equal((await peer.response('REFER')).status, 403);
  await server.close();
  peer.close();
});
