import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../secret.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { bodyText, headerValue, type SipRequest } from './message.ts';
import { buildResponse, type ResponseOptions } from './serializer.ts';
import type { SipSession, SipSessionHandlers } from './session.ts';
import { RawPeer, recordingHandlers, sdp, startUserAgent } from './test-peers.ts';
import type { UserAgent } from './user-agent.ts';

throwOnUnlistedTransitions();

interface Placed {
  client: UserAgent;
  peer: RawPeer;
  call: SipSession;
  invite: SipRequest;
  caller: ReturnType<typeof recordingHandlers>;
  answer(request: SipRequest, status: number, options?: ResponseOptions): void;
  close(): Promise<void>;
}

/** A call to a raw peer that has received the INVITE. */
async function place(more: Partial<SipSessionHandlers> = {}): Promise<Placed> {
  const client = await startUserAgent();
  const peer = await RawPeer.open(0);
  const caller = recordingHandlers(more);
  const call = client.invite({
    requestUri: `sip:callee@127.0.0.1:${peer.port}`,
    from: '<sip:caller@example.com>',
    offer: sdp,
    credentials: { username: 'caller', password: new Secret('secret') },
    handlers: caller.handlers,
  });
  const invite = await peer.incoming('INVITE');
  const contact = { name: 'Contact', value: `<sip:callee@127.0.0.1:${peer.port}>` };
  const answer: Placed['answer'] = (request, status, options = {}) => {
    const { bytes } = buildResponse(request, status, { toTag: 'a', headers: [contact], ...options });
    peer.send(bytes.toString(), request.via.port);
  };
  const close = async () => {
    await client.close();
    peer.close();
  };
  return { client, peer, call, invite, caller, answer, close };
}

const body = { contentType: 'application/sdp', content: sdp };

async function hangUp({ call, peer, answer, close }: Placed): Promise<void> {
  call.end();
  answer(await peer.incoming('BYE'), 200);
  await close();
}

test('the INVITE says what it must', async () => {
  const placed = await place();
  const { invite, peer, answer, caller } = placed;
  assert.equal(headerValue(invite, 'max-forwards'), '70');
  assert.equal(headerValue(invite, 'user-agent'), 'test');
  assert.match(headerValue(invite, 'contact') ?? '', /^<sip:127\.0\.0\.1:\d+>$/);
  assert.ok(invite.via.parameters.has('rport'));
  answer(invite, 200, { body });
  await caller.events.until((event) => event === 'established');
  const ack = await peer.incoming('ACK');
  assert.equal(ack.cseq.sequence, invite.cseq.sequence);
  assert.notEqual(ack.via.parameters.get('branch'), invite.via.parameters.get('branch'));
  // The 2xx again: another ACK, and no second event.
  answer(invite, 200, { body });
  await peer.incoming('ACK');
  assert.deepEqual(caller.events.all, ['answered', 'established']);
  await hangUp(placed);
});

for (const status of [401, 407])
  test(`a ${status} is answered once, then believed`, async () => {
    const { peer, invite, answer, caller, close } = await place();
    const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
    const challenge = { headers: [{ name, value: 'Digest realm="r", nonce="n", qop="auth"' }] };
    answer(invite, status, challenge);
    const again = await peer.incoming('INVITE');
    assert.equal(again.cseq.sequence, invite.cseq.sequence + 1);
    assert.equal(again.callId, invite.callId);
    const key = status === 401 ? 'authorization' : 'proxy-authorization';
    assert.match(headerValue(again, key) ?? '', /^Digest username="caller"/);
    answer(again, status, challenge);
    await caller.events.next();
    assert.equal(caller.ends[0]?.status, status);
    await close();
  });

for (const status of [488, 415, 606])
  test(`a ${status} to the offer is followed by another offer, once, in a new INVITE of the same call`, async () => {
    const asked: number[] = [];
    const secure = sdp.replace('RTP/AVP', 'RTP/SAVP');
    const offerRefused = (refusal: number) => {
      asked.push(refusal);
      return secure;
    };
    const placed = await place({ offerRefused });
    const { peer, invite, answer, caller } = placed;
    answer(invite, 180);
    answer(invite, status);
    const again = await peer.incoming('INVITE');
    assert.equal(bodyText(again), secure);
    assert.equal(again.callId, invite.callId);
    assert.equal(again.cseq.sequence, invite.cseq.sequence + 1);
    assert.equal(again.from.parameters.get('tag'), invite.from.parameters.get('tag'));
    assert.equal(again.to.parameters.get('tag'), undefined);
    assert.notEqual(again.via.parameters.get('branch'), invite.via.parameters.get('branch'));
    // Credentials are asked for on the way, and the offer stays the one that is to be answered.
    const challenge = { headers: [{ name: 'WWW-Authenticate', value: 'Digest realm="r", nonce="n"' }] };
    answer(again, 401, challenge);
    const authorized = await peer.incoming('INVITE');
    assert.equal(bodyText(authorized), secure);
    answer(authorized, 200, { body: { ...body, content: secure }, toTag: 'b' });
    await caller.events.until((event) => event === 'established');
    assert.deepEqual(asked, [status]);
    await hangUp(placed);
    // The second refusal is the end of the call.
    const refused = await place({ offerRefused });
    refused.answer(refused.invite, status);
    refused.answer(await refused.peer.incoming('INVITE'), status);
    await refused.caller.events.next();
    assert.deepEqual(
      refused.caller.ends.map((end) => end.status),
      [status],
    );
    await refused.close();
  });

test('a refusal is the end where it is not the offer that is refused, where there is no other, and where one was answered', async () => {
  const other = sdp.replace('RTP/AVP', 'RTP/SAVP');
  const [busy, none, answered] = [
    await place({ offerRefused: () => other }),
    await place({ offerRefused: () => undefined }),
    await place({ offerRefused: () => other }),
  ];
  busy.answer(busy.invite, 486);
  none.answer(none.invite, 488);
  const reliable = [
    { name: 'Require', value: '100rel' },
    { name: 'RSeq', value: '1' },
    { name: 'Contact', value: `<sip:callee@127.0.0.1:${answered.peer.port}>` },
  ];
  answered.answer(answered.invite, 183, { body, headers: reliable });
  answered.answer(await answered.peer.incoming('PRACK'), 200);
  answered.answer(answered.invite, 488);
  for (const [placed, status] of [
    [busy, 486],
    [none, 488],
    [answered, 488],
  ] as const) {
    await placed.caller.events.until((event) => event.startsWith('ended'));
    assert.equal(placed.caller.ends[0]?.status, status);
    await placed.close();
  }
});

test('a call that was given up gets no other offer', async () => {
  let asked = 0;
  const { peer, call, invite, answer, caller, close } = await place({
    offerRefused: () => {
      asked++;
      return sdp;
    },
  });
  answer(invite, 180);
  await caller.events.next();
  call.end();
  answer(await peer.incoming('CANCEL'), 200);
  answer(invite, 488);
  await peer.incoming('ACK');
  await close();
  assert.equal(asked, 0);
  assert.equal(peer.texts.filter((text) => text.startsWith('INVITE')).length, 1);
});

test('a challenged BYE is sent again with credentials', async () => {
  const { peer, call, invite, answer, caller, close } = await place();
  answer(invite, 200, { body });
  await caller.events.until((event) => event === 'established');
  call.end();
  const bye = await peer.incoming('BYE');
  answer(bye, 407, { headers: [{ name: 'Proxy-Authenticate', value: 'Digest realm="r", nonce="n"' }] });
  const again = await peer.incoming('BYE');
  assert.ok(headerValue(again, 'proxy-authorization'));
  assert.equal(again.cseq.sequence, bye.cseq.sequence + 1);
  answer(again, 200);
  await close();
});

test('two forks answer: the first is the call, the second is acknowledged and ended', async () => {
  const placed = await place();
  const { peer, invite, answer, caller, call } = placed;
  answer(invite, 180, { toTag: 'b' });
  answer(invite, 200, { body });
  await caller.events.until((event) => event === 'established');
  answer(invite, 200, { body, toTag: 'b' });
  const bye = await peer.incoming('BYE');
  assert.equal(bye.to.parameters.get('tag'), 'b');
  answer(bye, 200);
  assert.equal(call.state, 'established');
  await hangUp(placed);
});

test('places that ring at once are told apart, and the end of one that lost is not the end of the call', async () => {
  const rings: string[] = [];
  const placed = await place({ progress: (status, _sdp, fork) => rings.push(`${status} ${fork}`) });
  const { peer, invite, answer, caller, call } = placed;
  const early = { contentType: 'application/sdp', content: sdp.replace('40000', '40002') };
  answer(invite, 183, { toTag: 'b', body: early });
  answer(invite, 180, { toTag: 'c' });
  answer(invite, 200, { body });
  await caller.events.until((event) => event === 'established');
  assert.deepEqual(rings, ['183 b', '180 c']);
  const ours = invite.from.parameters.get('tag');
  const bye = (tag: string, sequence: number) =>
    peer.send(
      [
        'BYE sip:caller@127.0.0.1 SIP/2.0',
        `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK-bye-${tag}`,
        `From: <sip:callee@127.0.0.1>;tag=${tag}`,
        `To: <sip:caller@example.com>;tag=${ours}`,
        `Call-ID: ${invite.callId}`,
        `CSeq: ${sequence} BYE`,
        'Content-Length: 0\r\n\r\n',
      ].join('\r\n'),
      invite.via.port,
    );
  bye('b', 1);
  assert.equal((await peer.response('BYE')).status, 200);
  assert.equal(call.state, 'established');
  // Its 2xx, and that again: acknowledged each time, hung up once.
  answer(invite, 200, { body, toTag: 'c' });
  const hangUp = await peer.incoming('BYE');
  answer(hangUp, 200);
  const acknowledged = () => peer.texts.filter((text) => /^ACK[\s\S]*To: .*tag=c/.test(text)).length;
  answer(invite, 200, { body, toTag: 'c' });
  while (acknowledged() < 2) await peer.received.next();
  assert.equal(peer.texts.filter((text) => text.startsWith('BYE')).length, 1);
  bye('a', 2);
  assert.equal((await peer.response('BYE')).status, 200);
  await placed.close();
  assert.equal(caller.ends[0]?.cause, 'remote');
});

test('a 2xx that crosses the CANCEL is acknowledged and ended, with one end', async () => {
  const { peer, call, invite, answer, caller, close } = await place();
  answer(invite, 180);
  await caller.events.next();
  call.end();
  const cancel = await peer.incoming('CANCEL');
  assert.equal(cancel.via.parameters.get('branch'), invite.via.parameters.get('branch'));
  assert.equal(cancel.cseq.sequence, invite.cseq.sequence);
  answer(invite, 200, { body });
  answer(cancel, 200);
  const ack = await peer.incoming('ACK');
  assert.equal(ack.cseq.sequence, invite.cseq.sequence);
  answer(await peer.incoming('BYE'), 200);
  await close();
  assert.deepEqual(caller.ends, [{ cause: 'local', reason: undefined }]);
  assert.ok(!caller.events.all.includes('answered'));
});

test('a 2xx without a session description ends the call as an error', async () => {
  const { peer, invite, answer, caller, close } = await place();
  answer(invite, 200);
  answer(await peer.incoming('BYE'), 200);
  assert.equal(caller.ends[0]?.cause, 'error');
  await close();
});

test('an offer of the peer: 491 while our INVITE is open, taken afterwards', async () => {
  const placed = await place({ reoffered: () => 'v=0\r\n' });
  const { peer, invite, answer, caller } = placed;
  answer(invite, 183, { body });
  assert.equal(await caller.events.next(), 'progress 183 sdp');
  const ours = invite.from.parameters.get('tag');
  const offer = (method: string, sequence: number) =>
    peer.send(
      [
        `${method} sip:caller@127.0.0.1 SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK-o${sequence}`,
        'From: <sip:callee@127.0.0.1>;tag=a',
        `To: <sip:caller@example.com>;tag=${ours}`,
        `Call-ID: ${invite.callId}`,
        `CSeq: ${sequence} ${method}`,
        'Content-Type: application/sdp',
        `Content-Length: ${sdp.length}`,
        '',
        sdp,
      ].join('\r\n'),
      invite.via.port,
    );
  offer('UPDATE', 1);
  assert.equal((await peer.response('UPDATE')).status, 491);
  answer(invite, 200, { body });
  await caller.events.until((event) => event === 'established');
  offer('UPDATE', 2);
  assert.equal((await peer.response('UPDATE')).status, 200);
  await hangUp(placed);
});
