import assert from 'node:assert/strict';
import { test } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { bodyText, headerValue, type SipResponse } from './message.ts';
import { tagOf } from './name-address.ts';
import type { OfferAnswer, SipSession, SipSessionHandlers } from './session.ts';
import {
  Arrivals,
  acceptAll,
  portOf,
  quickTimers,
  RawPeer,
  type RequestParts,
  recordingHandlers,
  requestText,
  sdp,
  startUserAgent,
} from './test-peers.ts';
import type { UserAgent, UserAgentOptions } from './user-agent.ts';

throwOnUnlistedTransitions();

interface Call {
  server: UserAgent;
  peer: RawPeer;
  session: SipSession;
  toTag: string;
  callee: ReturnType<typeof recordingHandlers>;
  close(): Promise<void>;
}

/** A raw peer with a call that the server accepted; acknowledged unless `ack` is false. */
async function call(
  options: {
    ack?: boolean;
    more?: Partial<SipSessionHandlers>;
    body?: string;
    log?: UserAgentOptions['log'];
  } = {},
): Promise<Call> {
  const callee = recordingHandlers(options.more);
  const sessions = new Arrivals<SipSession>();
  const server = await startUserAgent({
    onInvite: acceptAll(sessions, callee.handlers),
    ...(options.log && { log: options.log }),
    ...(options.ack === false && { timers: quickTimers }),
  });
  const peer = await RawPeer.open(portOf(server, 'udp'));
  peer.request('INVITE', { body: options.body ?? sdp });
  const toTag = tagOf((await peer.response('INVITE')).to) ?? '';
  if (options.ack !== false) {
    peer.request('ACK', { toTag, branch: 'z9hG4bK-ack' });
    await callee.events.until((event) => event === 'established');
  }
  const close = async () => {
    await server.close();
    peer.close();
  };
  return { server, peer, session: await sessions.next(), toTag, callee, close };
}

async function ask(
  { peer, toTag }: Call,
  method: string,
  parts: Parameters<RawPeer['request']>[1] = {},
): Promise<SipResponse> {
  const branch = `z9hG4bK-${method}-${parts.sequence ?? 2}`;
  peer.request(method, { toTag, sequence: 2, branch, ...parts });
  const response = await peer.response(method);
  if (method === 'INVITE' && response.status >= 300)
    peer.request('ACK', { toTag, branch, sequence: response.cseq.sequence });
  return response;
}

test('the 200 is repeated until the ACK comes, then no more', async () => {
  const { peer, callee, toTag, close } = await call({ ack: false });
  await peer.response('INVITE', 200);
  await peer.response('INVITE', 200);
  peer.request('ACK', { toTag, branch: 'z9hG4bK-ack' });
  await callee.events.until((event) => event === 'established');
  await Promise.all([peer.incoming('BYE').then((bye) => peer.send(okTo(bye.headers))), close()]);
});

/** 200 with the headers of a request, as raw text. */
function okTo(headers: readonly { name: string; value: string; key: string }[]): string {
  const copied = headers.filter(({ key }) => ['via', 'from', 'to', 'call-id', 'cseq'].includes(key));
  return `SIP/2.0 200 OK\r\n${copied.map(({ name, value }) => `${name}: ${value}\r\n`).join('')}Content-Length: 0\r\n\r\n`;
}

test('no ACK at all: one end by timeout, and a BYE', async () => {
  const made = await call({ ack: false });
  const bye = await made.peer.incoming('BYE');
  assert.deepEqual(
    made.callee.ends.map(({ cause }) => cause),
    ['timeout'],
  );
  assert.equal(bye.callId, 'call-1');
  assert.equal(bye.uri, `sip:caller@127.0.0.1:${made.peer.port}`);
  made.peer.send(okTo(bye.headers));
  await made.close();
  assert.equal(made.callee.ends.length, 1);
});

test('a callee that ends before the ACK sends its BYE after it', async () => {
  const made = await call({ ack: false });
  made.session.end('changed my mind');
  assert.deepEqual(made.callee.ends, [{ cause: 'local', reason: 'changed my mind' }]);
  await made.peer.response('INVITE', 200);
  assert.ok(!made.peer.texts.some((text) => text.startsWith('BYE')));
  made.peer.request('ACK', { toTag: made.toTag, branch: 'z9hG4bK-ack' });
  const bye = await made.peer.incoming('BYE');
  assert.match(headerValue(bye, 'reason') ?? '', /changed my mind/);
  made.peer.send(okTo(bye.headers));
  await made.close();
});

test('a BYE before the ACK ends the call and the repeats', async () => {
  const made = await call({ ack: false });
  assert.equal((await ask(made, 'BYE', { extra: ['Reason: Q.850;cause=16'] })).status, 200);
  assert.deepEqual(made.callee.ends, [{ cause: 'remote', reason: 'Q.850;cause=16' }]);
  assert.equal((await ask(made, 'BYE', { sequence: 3 })).status, 481);
  await made.close();
});

test('re-INVITE and UPDATE bring offers; the answers go back', async () => {
  const offers: (string | undefined)[] = [];
  const reoffered = (offer: string | undefined) => {
    offers.push(offer);
    return `v=0\r\ns=answer ${offers.length}\r\n`;
  };
  const made = await call({ more: { reoffered } });
  const first = await ask(made, 'INVITE', { body: 'v=0\r\ns=hold\r\n' });
  assert.equal(first.status, 200);
  assert.equal(bodyText(first), 'v=0\r\ns=answer 1\r\n');
  // RFC 5407 section 3.1.4: the first one still waits for its ACK, but its offer was answered.
  assert.equal((await ask(made, 'INVITE', { sequence: 3, body: sdp })).status, 200);
  made.peer.request('ACK', { toTag: made.toTag, sequence: 3, branch: 'z9hG4bK-ack-3' });
  assert.equal((await ask(made, 'UPDATE', { sequence: 4, body: sdp })).status, 200);
  assert.equal((await ask(made, 'UPDATE', { sequence: 5 })).status, 200);
  const offerless = await ask(made, 'INVITE', { sequence: 6 });
  assert.equal(bodyText(offerless), 'v=0\r\ns=answer 4\r\n');
  // Section 3.1.5: our offer in it has no answer yet.
  assert.equal((await ask(made, 'INVITE', { sequence: 7, body: sdp })).status, 491);
  assert.equal((await ask(made, 'UPDATE', { sequence: 8, body: sdp })).status, 491);
  made.peer.request('ACK', { toTag: made.toTag, sequence: 6, branch: 'z9hG4bK-ack-6', body: sdp });
  await made.callee.events.until((event) => event === 'answered');
  assert.deepEqual(offers, ['v=0\r\ns=hold\r\n', sdp, sdp, undefined]);
  await ask(made, 'BYE', { sequence: 9 });
  await made.close();
});

test('an offer that is not wanted is refused and the call goes on', async () => {
  const made = await call({ more: { reoffered: () => ({ status: 488 }) } });
  assert.equal((await ask(made, 'INVITE', { body: sdp })).status, 488);
  assert.equal((await ask(made, 'UPDATE', { sequence: 3, body: sdp })).status, 488);
  assert.equal(made.session.state, 'established');
  await ask(made, 'BYE', { sequence: 4 });
  await made.close();
});

test('an answer that takes its time: the offer waits, other offers are refused, the call goes on', async () => {
  const answers = new Arrivals<PromiseWithResolvers<OfferAnswer>>();
  const made = await call({ more: { reoffered: () => promiseIn(answers) } });
  const { peer, toTag } = made;
  peer.request('INVITE', { toTag, sequence: 2, branch: 'z9hG4bK-slow', body: sdp });
  await peer.response('INVITE', 100);
  const second = await ask(made, 'INVITE', { sequence: 3, body: sdp });
  assert.equal(second.status, 500);
  assert.match(headerValue(second, 'retry-after') ?? '', /^\d+$/);
  assert.equal((await ask(made, 'UPDATE', { sequence: 4, body: sdp })).status, 500);
  assert.equal((await ask(made, 'UPDATE', { sequence: 5 })).status, 200, 'a refresh offers nothing');
  assert.equal((await ask(made, 'OPTIONS', { sequence: 6 })).status, 200);
  (await answers.next()).resolve('v=0\r\ns=late\r\n');
  const answer = await peer.response('INVITE', 200, 2);
  assert.equal(bodyText(answer), 'v=0\r\ns=late\r\n');
  peer.request('ACK', { toTag, sequence: 2, branch: 'z9hG4bK-ack-2' });

  const updated = ask(made, 'UPDATE', { sequence: 7, body: sdp });
  (await answers.next()).resolve({ status: 488 });
  assert.equal((await updated).status, 488);
  assert.equal(made.session.state, 'established');
  await ask(made, 'BYE', { sequence: 8 });
  await made.close();
});

test('an answer that fails is a 500, and the call goes on', async () => {
  const logged: string[] = [];
  const reoffered = () => Promise.reject(new Error('no worker'));
  const made = await call({ more: { reoffered }, log: (_level, message) => logged.push(message) });
  assert.equal((await ask(made, 'INVITE', { body: sdp })).status, 500);
  assert.deepEqual(logged, ['an offer could not be answered']);
  assert.equal(made.session.state, 'established');
  await ask(made, 'BYE', { sequence: 3 });
  await made.close();
});

test('a session that ends before the answer refuses the offer with 487, and only that', async () => {
  for (const ending of ['remote', 'local'] as const) {
    const answers = new Arrivals<PromiseWithResolvers<OfferAnswer>>();
    const made = await call({ more: { reoffered: () => promiseIn(answers) } });
    const { peer, toTag } = made;
    peer.request('INVITE', { toTag, sequence: 2, branch: 'z9hG4bK-slow', body: sdp });
    const late = await answers.next();
    if (ending === 'remote') peer.request('BYE', { toTag, sequence: 3 });
    else made.session.end('enough');
    assert.equal((await peer.response('INVITE')).status, 487);
    peer.request('ACK', { toTag, sequence: 2, branch: 'z9hG4bK-slow' });
    if (ending === 'local') peer.send(okTo((await peer.incoming('BYE')).headers));
    late.resolve('v=0\r\n');
    // What is answered after it, the late answer would have come before.
    peer.request('OPTIONS', { callId: 'other', sequence: 1 });
    await peer.response('OPTIONS');
    assert.deepEqual(finalAnswersTo(peer, '2 INVITE'), ['487']);
    assert.deepEqual(
      made.callee.ends.map(({ cause }) => cause),
      [ending],
    );
    await made.close();
  }
});

function promiseIn(answers: Arrivals<PromiseWithResolvers<OfferAnswer>>): Promise<OfferAnswer> {
  const answer = Promise.withResolvers<OfferAnswer>();
  answers.add(answer);
  return answer.promise;
}

function finalAnswersTo({ texts }: RawPeer, cseq: string): string[] {
  return texts
    .filter((text) => text.includes(`CSeq: ${cseq}\r\n`))
    .flatMap((text) => /^SIP\/2\.0 ([2-6]\d\d)/.exec(text)?.[1] ?? []);
}

test('INFO and OPTIONS inside the dialog', async () => {
  const made = await call({ more: { info: (type, body) => made.callee.events.add(`info ${type} ${body}`) } });
  const info = { body: 'Signal=5\r\n' };
  assert.equal((await ask(made, 'INFO', info)).status, 200);
  assert.equal(await made.callee.events.next(), 'info application/sdp Signal=5\r\n');
  const options = await ask(made, 'OPTIONS', { sequence: 3 });
  assert.equal(options.status, 200);
  assert.match(headerValue(options, 'allow') ?? '', /INVITE.*BYE/);
  // Older than what was seen: section 12.2.2.
  assert.equal((await ask(made, 'INFO', { sequence: 1 })).status, 500);
  assert.equal((await ask(made, 'MESSAGE', { sequence: 4 })).status, 405);
  await ask(made, 'BYE', { sequence: 5 });
  await made.close();
});

test('a late offer: our offer in the 200, the answer in the ACK', async () => {
  const made = await call({ ack: false, body: '' });
  assert.equal(made.session.offer, undefined);
  made.peer.request('ACK', { toTag: made.toTag, branch: 'z9hG4bK-ack', body: sdp });
  await made.callee.events.until((event) => event === 'established');
  assert.deepEqual(made.callee.events.all, ['answered', 'established']);
  await ask(made, 'BYE');
  await made.close();
});

test('a phone behind a NAT gets its BYE where its INVITE came from', async () => {
  const callee = recordingHandlers();
  const sessions = new Arrivals<SipSession>();
  const server = await startUserAgent({ onInvite: acceptAll(sessions, callee.handlers) });
  const peer = await RawPeer.open(portOf(server, 'udp'));
  // 192.0.2.1 is an address nobody has (RFC 5737).
  const hidden = (method: string, parts: Partial<RequestParts>) =>
    peer.send(
      requestText(method, peer.port, parts)
        .replace(/UDP 127\.0\.0\.1:\d+;/, 'UDP 192.0.2.1:5060;rport;')
        .replace(/@127\.0\.0\.1:\d+>/, '@192.0.2.1>'),
    );
  hidden('INVITE', { body: sdp });
  const toTag = tagOf((await peer.response('INVITE')).to);
  hidden('ACK', { toTag, branch: 'z9hG4bK-ack' });
  await callee.events.until((event) => event === 'established');
  (await sessions.next()).end();
  const bye = await peer.incoming('BYE');
  assert.equal(bye.uri, 'sip:caller@192.0.2.1');
  peer.send(okTo(bye.headers));
  await server.close();
  peer.close();
});

test('a CANCEL after the 200 changes nothing', async () => {
  const made = await call();
  made.peer.request('CANCEL', { branch: 'z9hG4bK-INVITE-1-call-1' });
  assert.equal((await made.peer.response('CANCEL')).status, 200);
  assert.equal(made.session.state, 'established');
  await ask(made, 'BYE');
  await made.close();
});

test('handlers that throw end nothing', async () => {
  const errors: string[] = [];
  const server = await startUserAgent({
    log: (_level, message) => errors.push(message),
    onInvite: () => {
      throw new Error('broken application');
    },
  });
  const peer = await RawPeer.open(portOf(server, 'udp'));
  peer.request('INVITE', { body: sdp });
  const response = await peer.response('INVITE');
  assert.equal(response.status, 500);
  peer.request('ACK', { branch: 'z9hG4bK-INVITE-1-call-1', toTag: tagOf(response.to) });
  await server.close();
  assert.ok(errors.includes('onInvite threw'));
  assert.equal(server.stats().sessions, 0);
  peer.close();
});
