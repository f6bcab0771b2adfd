import assert from 'node:assert/strict';
import { test } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { bodyText, headerValue, type SipRequest, type SipResponse } from './message.ts';
import { tagOf } from './name-address.ts';
import { buildResponse, type ResponseOptions } from './serializer.ts';
import type { SipSession, SipSessionHandlers } from './session.ts';
import {
  Arrivals,
  portOf,
  quickTimers,
  RawPeer,
  recordingHandlers,
  sdp,
  startUserAgent,
} from './test-peers.ts';

throwOnUnlistedTransitions();

const offer = 'v=0\r\ns=offer\r\n';
const answerText = 'v=0\r\ns=answer\r\n';

/** A call to us whose INVITE says what it wants of provisional responses. */
async function incoming(
  options: { extra?: string[]; body?: string; more?: Partial<SipSessionHandlers> } = {},
) {
  const callee = recordingHandlers(options.more);
  const sessions = new Arrivals<SipSession>();
  const server = await startUserAgent({
    timers: quickTimers,
    onInvite: (session) => {
      session.handlers = callee.handlers;
      sessions.add(session);
    },
  });
  const peer = await RawPeer.open(portOf(server, 'udp'));
  const { extra = ['Require: 100rel'], body = offer } = options;
  peer.request('INVITE', { body, extra });
  const session = await sessions.next();
  const prack = async (response: SipResponse, sequence: number, body = '', rseq?: string) => {
    const rack = `RAck: ${rseq ?? headerValue(response, 'rseq')} 1 INVITE`;
    peer.request('PRACK', { sequence, toTag: tagOf(response.to), extra: [rack], body });
    return await peer.response('PRACK');
  };
  /** ACK and BYE of an accepted call. */
  const hangUp = async (toTag: string | undefined, body = '') => {
    peer.request('ACK', { toTag, branch: 'z9hG4bK-ack', body });
    await callee.events.until((event) => event === 'established');
    peer.request('BYE', { toTag, sequence: 50 });
    await peer.response('BYE');
    await server.close();
    peer.close();
  };
  return { server, peer, session, callee, prack, hangUp };
}

test('required: every provisional response is reliable, repeated until its PRACK', async () => {
  const { peer, session, prack, hangUp } = await incoming();
  session.provisional(180);
  const first = await peer.response('INVITE', 180);
  assert.equal(headerValue(first, 'require'), '100rel');
  const again = await peer.response('INVITE', 180);
  assert.equal(headerValue(again, 'rseq'), headerValue(first, 'rseq'));
  assert.equal((await prack(first, 2, '', '1')).status, 481);
  assert.equal((await prack(first, 3)).status, 200);
  session.accept(answerText);
  const ok = await peer.response('INVITE', 200);
  assert.equal(bodyText(ok), answerText);
  await hangUp(tagOf(ok.to));
});

test('early media: the 200 waits until its description has arrived, and says it again', async () => {
  const { peer, session, prack, hangUp } = await incoming();
  session.provisional(183, answerText);
  const early = await peer.response('INVITE', 183);
  assert.equal(bodyText(early), answerText);
  session.accept(answerText);
  assert.equal(session.state, 'early');
  await peer.response('INVITE', 183);
  assert.ok(!peer.texts.some((text) => text.startsWith('SIP/2.0 200')));
  await prack(early, 2);
  const ok = await peer.response('INVITE', 200, 1);
  assert.equal(bodyText(ok), answerText);
  await hangUp(tagOf(ok.to));
});

test('after an early answer the peer may change the session by UPDATE; the 200 says nothing old', async () => {
  const offers: (string | undefined)[] = [];
  const reoffered = (sdp: string | undefined) => {
    offers.push(sdp);
    return 'v=0\r\ns=updated\r\n';
  };
  const { peer, session, prack, hangUp } = await incoming({ more: { reoffered } });
  const update = async (toTag: string | undefined, sequence: number) => {
    peer.request('UPDATE', { toTag, sequence, body: sdp });
    return await peer.response('UPDATE');
  };
  session.provisional(180);
  const ringing = await peer.response('INVITE', 180);
  const toTag = tagOf(ringing.to);
  await prack(ringing, 2);
  // RFC 3311 section 5.2: its first offer is not answered yet.
  assert.equal((await update(toTag, 3)).status, 500);
  session.provisional(183, answerText);
  await prack(await peer.response('INVITE', 183), 4);
  assert.equal(bodyText(await update(toTag, 5)), 'v=0\r\ns=updated\r\n');
  assert.deepEqual(offers, [sdp]);
  session.accept(answerText);
  const ok = await peer.response('INVITE', 200, 1);
  assert.equal(ok.body.length, 0);
  await hangUp(toTag);
});

test('an offer in a PRACK is answered in its 200', async () => {
  const { peer, session, prack, hangUp } = await incoming({
    more: { reoffered: () => 'v=0\r\ns=second\r\n' },
  });
  session.provisional(183, answerText);
  const early = await peer.response('INVITE', 183);
  assert.equal(bodyText(await prack(early, 2, sdp)), 'v=0\r\ns=second\r\n');
  session.accept(answerText);
  await hangUp(tagOf((await peer.response('INVITE', 200, 1)).to));
});

test('a late offer: ours in the reliable 183, the answer in its PRACK, nothing more in the 200', async () => {
  const answers: string[] = [];
  const made = await incoming({ body: '', more: { answered: (sdp) => answers.push(sdp) } });
  const { peer, session, prack, hangUp } = made;
  assert.equal(session.offer, undefined);
  session.provisional(183, offer);
  const early = await peer.response('INVITE', 183);
  assert.equal(bodyText(early), offer);
  await prack(early, 2, answerText);
  assert.deepEqual(answers, [answerText]);
  session.accept(offer);
  const ok = await peer.response('INVITE', 200, 1);
  assert.equal(ok.body.length, 0);
  await hangUp(tagOf(ok.to));
});

test('a late offer whose PRACK answers nothing is made once more in the 200', async () => {
  const { peer, session, prack, hangUp, callee } = await incoming({ body: '' });
  session.provisional(183, offer);
  await prack(await peer.response('INVITE', 183), 2);
  session.accept(offer);
  const ok = await peer.response('INVITE', 200, 1);
  assert.equal(bodyText(ok), offer);
  await hangUp(tagOf(ok.to), answerText);
  assert.ok(callee.events.all.includes('answered'));
});

test('a late offer without PRACK: no description before the 200', async () => {
  const { peer, session, hangUp } = await incoming({ body: '', extra: [] });
  session.provisional(183, offer);
  const early = await peer.response('INVITE', 183);
  assert.equal(early.body.length, 0);
  assert.equal(headerValue(early, 'rseq'), undefined);
  session.accept(offer);
  const ok = await peer.response('INVITE', 200, 1);
  assert.equal(bodyText(ok), offer);
  await hangUp(tagOf(ok.to), answerText);
});

test('a late offer whose ACK answers nothing ends the call decently', async () => {
  const { peer, session, callee, server } = await incoming({ body: '', extra: [] });
  session.accept(offer);
  const ok = await peer.response('INVITE', 200, 1);
  peer.request('ACK', { toTag: tagOf(ok.to), branch: 'z9hG4bK-ack' });
  const bye = await peer.incoming('BYE');
  assert.match(headerValue(bye, 'reason') ?? '', /no answer in the ACK/);
  assert.deepEqual(callee.ends, [{ cause: 'error', reason: 'the ACK carries no answer' }]);
  peer.send(buildResponse(bye, 200).bytes.toString());
  await server.close();
  peer.close();
});

test('supported only: provisional responses are sent as ever', async () => {
  const { peer, session, hangUp } = await incoming({ extra: ['Supported: 100rel'] });
  session.provisional(183, answerText);
  const early = await peer.response('INVITE', 183);
  assert.equal(headerValue(early, 'require'), undefined);
  assert.equal(bodyText(early), answerText);
  session.accept(answerText);
  await hangUp(tagOf((await peer.response('INVITE', 200, 1)).to));
});

test('no PRACK at all: 504, and the call has ended', async () => {
  const { peer, session, callee, server } = await incoming();
  session.provisional(183, answerText);
  session.accept(answerText);
  const refused = await peer.response('INVITE');
  assert.equal(refused.status, 504);
  peer.request('ACK', { toTag: tagOf(refused.to), branch: 'z9hG4bK-INVITE-1-call-1' });
  assert.equal(callee.ends[0]?.cause, 'timeout');
  await server.close();
  peer.close();
});

test('a CANCEL while the PRACK is awaited ends the repeats', async () => {
  const { peer, session, callee, server } = await incoming();
  session.provisional(180);
  await peer.response('INVITE', 180);
  peer.request('CANCEL', { branch: 'z9hG4bK-INVITE-1-call-1' });
  const refused = await peer.response('INVITE', 487);
  peer.request('ACK', { toTag: tagOf(refused.to), branch: 'z9hG4bK-INVITE-1-call-1' });
  assert.equal(callee.ends[0]?.cause, 'cancelled');
  await server.close();
  peer.close();
});

test('an extension we do not know is refused with 420', async () => {
  const server = await startUserAgent();
  const peer = await RawPeer.open(portOf(server, 'udp'));
  peer.request('INVITE', { body: offer, extra: ['Require: 100rel, precondition, timer'] });
  const refused = await peer.response('INVITE');
  assert.equal(refused.status, 420);
  assert.equal(headerValue(refused, 'unsupported'), 'precondition');
  peer.request('ACK', { toTag: tagOf(refused.to), branch: 'z9hG4bK-INVITE-1-call-1' });
  await server.close();
  peer.close();
});

/** A call of ours to a raw peer. */
async function outgoing(more: Partial<SipSessionHandlers> = {}, ourOffer: string | undefined = offer) {
  const client = await startUserAgent();
  const peer = await RawPeer.open(0);
  const caller = recordingHandlers(more);
  const call = client.invite({
    requestUri: `sip:callee@127.0.0.1:${peer.port}`,
    from: '<sip:caller@example.com>',
    ...(ourOffer !== undefined && { offer: ourOffer }),
    handlers: caller.handlers,
  }) as Required<SipSession>;
  const invite = await peer.incoming('INVITE');
  const contact = { name: 'Contact', value: `<sip:callee@127.0.0.1:${peer.port}>` };
  const answer = (request: SipRequest, status: number, options: ResponseOptions = {}) => {
    const headers = [contact, ...(options.headers ?? [])];
    const { bytes } = buildResponse(request, status, { toTag: 'a', ...options, headers });
    peer.send(bytes.toString(), request.via.port);
  };
  const reliable = (status: number, rseq: number, sdp?: string, toTag = 'a') =>
    answer(invite, status, {
      toTag,
      headers: [
        { name: 'Require', value: '100rel' },
        { name: 'RSeq', value: String(rseq) },
        { name: 'Allow', value: 'INVITE, ACK, BYE, PRACK, UPDATE' },
      ],
      ...(sdp !== undefined && { body: { contentType: 'application/sdp', content: sdp } }),
    });
  const hangUp = async () => {
    call.end();
    answer(await peer.incoming('BYE'), 200);
    await client.close();
    peer.close();
  };
  return { client, peer, call, caller, invite, answer, reliable, hangUp };
}

test('our INVITE supports 100rel; a reliable response gets its PRACK, once, in order', async () => {
  const { peer, invite, reliable, answer, caller, hangUp } = await outgoing();
  assert.match(headerValue(invite, 'supported') ?? '', /100rel/);
  reliable(180, 10);
  const prack = await peer.incoming('PRACK');
  assert.equal(headerValue(prack, 'rack'), `10 ${invite.cseq.sequence} INVITE`);
  assert.equal(prack.cseq.sequence, invite.cseq.sequence + 1);
  assert.equal(prack.to.parameters.get('tag'), 'a');
  answer(prack, 200);
  reliable(180, 10);
  reliable(183, 12, answerText);
  reliable(183, 11, answerText);
  const second = await peer.incoming('PRACK');
  assert.equal(headerValue(second, 'rack'), `11 ${invite.cseq.sequence} INVITE`);
  answer(second, 200);
  answer(invite, 200);
  await caller.events.until((event) => event === 'established');
  assert.deepEqual(
    caller.events.all.filter((event) => !event.startsWith('progress 180')),
    ['progress 183 sdp', 'answered', 'established'],
  );
  const ack = await peer.incoming('ACK');
  assert.equal(ack.cseq.sequence, invite.cseq.sequence);
  await hangUp();
});

test('the BYE of a call with an early dialog goes on counting', async () => {
  const { peer, invite, reliable, answer, caller, call, client } = await outgoing();
  reliable(183, 1, answerText);
  const prack = await peer.incoming('PRACK');
  answer(prack, 200);
  answer(invite, 200);
  await caller.events.until((event) => event === 'established');
  call.end();
  const bye = await peer.incoming('BYE');
  assert.equal(bye.cseq.sequence, prack.cseq.sequence + 1);
  answer(bye, 200);
  await client.close();
  peer.close();
});

test('UPDATE before the answer, in the early dialog that answered reliably', async () => {
  const { peer, invite, reliable, answer, caller, call, hangUp } = await outgoing();
  const updated = call.update('v=0\r\ns=early update\r\n');
  reliable(183, 1, answerText);
  answer(await peer.incoming('PRACK'), 200);
  const update = await peer.incoming('UPDATE');
  assert.equal(bodyText(update), 'v=0\r\ns=early update\r\n');
  answer(update, 200, { body: { contentType: 'application/sdp', content: sdp } });
  assert.equal(await updated, sdp);
  answer(invite, 200);
  await caller.events.until((event) => event === 'established');
  await hangUp();
});

test('an INVITE without an offer: the peer offers in the 200, our answer is in the ACK', async () => {
  const offers: (string | undefined)[] = [];
  const reoffered = (sdp: string | undefined) => {
    offers.push(sdp);
    return Promise.resolve(answerText);
  };
  const client = await startUserAgent();
  const peer = await RawPeer.open(0);
  const caller = recordingHandlers({ reoffered });
  const requestUri = `sip:callee@127.0.0.1:${peer.port}`;
  const call = client.invite({ requestUri, from: '<sip:a@example.com>', handlers: caller.handlers });
  const invite = await peer.incoming('INVITE');
  assert.equal(invite.body.length, 0);
  const ok = buildResponse(invite, 200, {
    toTag: 'a',
    body: { contentType: 'application/sdp', content: sdp },
  });
  for (let times = 0; times < 2; times++) {
    peer.send(ok.bytes.toString(), invite.via.port);
    assert.equal(bodyText(await peer.incoming('ACK')), answerText);
  }
  assert.deepEqual(offers, [sdp]);
  assert.equal(call.state, 'established');
  call.end();
  peer.send(buildResponse(await peer.incoming('BYE'), 200).bytes.toString(), invite.via.port);
  await client.close();
  peer.close();
});
