import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import type { CallreelError } from '../errors.ts';
import { Secret } from '../secret.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { bodyText, headerValue, type SipRequest } from './message.ts';
import { buildResponse, type ResponseOptions } from './serializer.ts';
import type { SipSession, SipSessionHandlers } from './session.ts';
import {
  Arrivals,
  acceptAll,
  portOf,
  quickTimers,
  RawPeer,
  recordingHandlers,
  sdp,
  startUserAgent,
} from './test-peers.ts';
import type { UserAgentOptions } from './user-agent-options.ts';

throwOnUnlistedTransitions();

const body = { contentType: 'application/sdp', content: sdp };
const allowUpdate = { name: 'Allow', value: 'INVITE, ACK, BYE, UPDATE' };

/** A call of ours that a raw peer answered. */
async function placed(
  more: Partial<SipSessionHandlers> = {},
  { headers = [], ...options }: Partial<UserAgentOptions> & { headers?: ResponseOptions['headers'] } = {},
) {
  const client = await startUserAgent(options);
  const peer = await RawPeer.open(0);
  const caller = recordingHandlers(more);
  const call = client.invite({
    requestUri: `sip:callee@127.0.0.1:${peer.port}`,
    from: '<sip:caller@example.com>',
    offer: sdp,
    credentials: { username: 'caller', password: new Secret('secret') },
    handlers: caller.handlers,
  }) as Required<SipSession>;
  const contact = { name: 'Contact', value: `<sip:callee@127.0.0.1:${peer.port}>` };
  const answer = (request: SipRequest, status: number, options: ResponseOptions = {}) => {
    const all = { toTag: 'a', ...options, headers: [contact, ...(options.headers ?? [])] };
    peer.send(buildResponse(request, status, all).bytes.toString(), request.via.port);
  };
  const invite = await peer.incoming('INVITE');
  answer(invite, 200, { body, headers });
  await caller.events.until((event) => event === 'established');
  await peer.incoming('ACK');
  const hangUp = async () => {
    call.end();
    answer(await peer.incoming('BYE'), 200);
    await client.close();
    peer.close();
  };
  /** A request of the peer inside the dialog. */
  const ask = (method: string, sequence: number, text = '', extra: string[] = []) =>
    peer.send(
      [
        `${method} sip:caller@127.0.0.1 SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK-${method}-${sequence}`,
        'From: <sip:callee@127.0.0.1>;tag=a',
        `To: <sip:caller@example.com>;tag=${invite.from.parameters.get('tag')}`,
        `Call-ID: ${invite.callId}`,
        `CSeq: ${sequence} ${method}`,
        `Contact: <sip:callee@127.0.0.1:${peer.port}>`,
        ...extra,
        ...(text === '' ? [] : ['Content-Type: application/sdp']),
        `Content-Length: ${text.length}`,
        '',
        text,
      ].join('\r\n'),
      invite.via.port,
    );
  return { client, peer, call, caller, invite, answer, ask, hangUp };
}

const refusedWith = (status: string) => (error: CallreelError) =>
  error.code === 'SIP_REFUSED' && error.where === status;

test('a re-INVITE: the answer comes back, every 2xx is acknowledged, the target moves', async () => {
  const { peer, call, invite, answer, hangUp } = await placed();
  const answered = call.reoffer('v=0\r\ns=new\r\n');
  const reinvite = await peer.incoming('INVITE');
  assert.equal(bodyText(reinvite), 'v=0\r\ns=new\r\n');
  assert.equal(reinvite.cseq.sequence, invite.cseq.sequence + 1);
  assert.equal(reinvite.to.parameters.get('tag'), 'a');
  assert.match(headerValue(reinvite, 'supported') ?? '', /timer/);
  answer(reinvite, 100);
  const moved = { name: 'Contact', value: `<sip:moved@127.0.0.1:${peer.port}>` };
  const ok = buildResponse(reinvite, 200, { headers: [moved], body });
  peer.send(ok.bytes.toString(), reinvite.via.port);
  assert.equal(await answered, sdp);
  for (let times = 0; times < 2; times++) {
    const ack = await peer.incoming('ACK');
    assert.equal(ack.cseq.sequence, reinvite.cseq.sequence);
    assert.equal(ack.uri, `sip:moved@127.0.0.1:${peer.port}`);
    assert.equal(ack.body.length, 0);
    if (times === 0) peer.send(ok.bytes.toString(), reinvite.via.port);
  }
  await hangUp();
});

test('a refused re-INVITE changes nothing', async () => {
  const { peer, call, answer, hangUp } = await placed();
  const refused = assert.rejects(call.reoffer(sdp), refusedWith('488'));
  answer(await peer.incoming('INVITE'), 488);
  await refused;
  assert.equal(call.state, 'established');
  await hangUp();
});

test('a 2xx that answers nothing is a refusal, acknowledged', async () => {
  const { peer, call, answer, hangUp } = await placed();
  const refused = assert.rejects(call.reoffer(sdp), refusedWith('200'));
  answer(await peer.incoming('INVITE'), 200);
  await peer.incoming('ACK');
  await refused;
  assert.equal(call.state, 'established');
  await hangUp();
});

test('a challenged re-INVITE goes again with credentials, which its ACK carries too', async () => {
  const { peer, call, answer, hangUp } = await placed();
  const asked = call.reoffer('v=0\r\n');
  const first = await peer.incoming('INVITE');
  answer(first, 407, { headers: [{ name: 'Proxy-Authenticate', value: 'Digest realm="r", nonce="n"' }] });
  const again = await peer.incoming('INVITE');
  assert.equal(again.cseq.sequence, first.cseq.sequence + 1);
  assert.equal(bodyText(again), 'v=0\r\n');
  answer(again, 200, { body });
  assert.equal(await asked, sdp);
  const ack = await peer.received.until(
    (message) => message.kind === 'request' && message.cseq.sequence === again.cseq.sequence,
  );
  assert.ok(headerValue(ack, 'proxy-authorization'));
  assert.ok(headerValue(ack, 'proxy-authorization')?.includes('username="caller"'));
  await hangUp();
});

test('a call that has ended, and was never changed, is not changed any more', async () => {
  const { call, hangUp } = await placed();
  await hangUp();
  await assert.rejects(call.reoffer(sdp), refusedWith('481'));
  await assert.rejects(call.update(sdp), refusedWith('481'));
});

test('a 481 ends the call, with a BYE to whoever is in between', async () => {
  const { peer, call, answer, caller, client } = await placed();
  const refused = assert.rejects(call.reoffer(sdp), refusedWith('481'));
  answer(await peer.incoming('INVITE'), 481);
  await refused;
  const bye = await peer.incoming('BYE');
  assert.match(headerValue(bye, 'reason') ?? '', /^SIP;cause=408;text="481 /);
  answer(bye, 481);
  assert.deepEqual(
    caller.ends.map(({ cause }) => cause),
    ['timeout'],
  );
  await client.close();
  peer.close();
});

test('a re-INVITE that nobody answers ends the call', async () => {
  const { peer, call, answer, caller, client } = await placed({}, { timers: quickTimers });
  await assert.rejects(call.reoffer(sdp), refusedWith('481'));
  answer(await peer.incoming('BYE'), 200);
  assert.equal(caller.ends[0]?.cause, 'timeout');
  await client.close();
  peer.close();
});

test('glare: both offer at once, each refuses with 491, and ours goes again', async () => {
  const more = { reoffered: () => 'v=0\r\ns=ours\r\n' };
  const { peer, call, answer, ask, hangUp } = await placed(more, { timers: quickTimers });
  const asked = call.reoffer('v=0\r\ns=glare\r\n');
  const first = await peer.incoming('INVITE');
  ask('INVITE', 5, sdp);
  assert.equal((await peer.response('INVITE', undefined, 5)).status, 491);
  ask('ACK', 5);
  ask('UPDATE', 6, sdp);
  assert.equal((await peer.response('UPDATE')).status, 491);
  answer(first, 491);
  // While ours waits, theirs is taken.
  ask('UPDATE', 7, sdp);
  assert.equal((await peer.response('UPDATE')).status, 200);
  const again = await peer.incoming('INVITE');
  assert.equal(bodyText(again), 'v=0\r\ns=glare\r\n');
  answer(again, 200, { body });
  assert.equal(await asked, sdp);
  await hangUp();
});

test('ours waits until the re-INVITE of the peer is acknowledged', async () => {
  const { peer, call, answer, ask, hangUp } = await placed({ reoffered: () => 'v=0\r\n' });
  ask('INVITE', 5, sdp);
  await peer.response('INVITE', 200, 5);
  const asked = call.reoffer('v=0\r\ns=later\r\n');
  ask('OPTIONS', 6);
  await peer.response('OPTIONS');
  assert.ok(!peer.texts.some((text) => text.includes('s=later')));
  ask('ACK', 5);
  const reinvite = await peer.incoming('INVITE');
  assert.equal(bodyText(reinvite), 'v=0\r\ns=later\r\n');
  answer(reinvite, 200, { body });
  await asked;
  await hangUp();
});

test('UPDATE: where the peer says that it takes it', async () => {
  const { peer, call, answer, hangUp } = await placed({}, { headers: [allowUpdate] });
  assert.equal(call.allowsUpdate, true);
  const asked = call.update('v=0\r\ns=update\r\n');
  const update = await peer.incoming('UPDATE');
  assert.equal(bodyText(update), 'v=0\r\ns=update\r\n');
  assert.match(headerValue(update, 'contact') ?? '', /^<sip:/);
  answer(update, 200, { body });
  assert.equal(await asked, sdp);
  await hangUp();
});

test('a refresh by re-INVITE says the same again, and tells what the peer changed meanwhile', async () => {
  const clock = new FakeClock();
  const news: string[] = [];
  const { peer, answer, call, caller, client } = await placed(
    { answered: (text) => news.push(text) },
    { clock, headers: [{ name: 'Session-Expires', value: '600;refresher=uac' }] },
  );
  clock.advanceMs(300_000);
  const first = await peer.incoming('INVITE');
  assert.equal(bodyText(first), sdp);
  assert.equal(headerValue(first, 'session-expires'), '600;refresher=uac');
  answer(first, 200, { body, headers: [{ name: 'Session-Expires', value: '600;refresher=uac' }] });
  await peer.incoming('ACK');
  assert.deepEqual(news, [sdp]);
  clock.advanceMs(300_000);
  const changed = { ...body, content: sdp.replace('40000', '40002') };
  answer(await peer.incoming('INVITE'), 200, { body: changed });
  await peer.incoming('ACK');
  assert.deepEqual(news, [sdp, changed.content]);
  // That 2xx asked for no timer any more.
  clock.advanceMs(3_600_000);
  assert.equal(call.state, 'established');
  call.end();
  answer(await peer.incoming('BYE'), 200);
  await client.close();
  peer.close();
  assert.equal(caller.ends[0]?.cause, 'local');
});

test('a refresh by UPDATE offers nothing; a peer that takes none gets a re-INVITE', async () => {
  const clock = new FakeClock();
  const timer = { name: 'Session-Expires', value: '90;refresher=uac' };
  const { peer, answer, call, client } = await placed({}, { clock, headers: [allowUpdate, timer] });
  clock.advanceMs(45_000);
  const update = await peer.incoming('UPDATE');
  assert.equal(update.body.length, 0);
  answer(update, 501);
  const reinvite = await peer.incoming('INVITE');
  assert.equal(bodyText(reinvite), sdp);
  answer(reinvite, 200, { body, headers: [timer] });
  await peer.incoming('ACK');
  clock.advanceMs(45_000);
  const next = await peer.incoming('INVITE');
  assert.equal(next.cseq.sequence, reinvite.cseq.sequence + 1);
  answer(next, 200, { body });
  await peer.incoming('ACK');
  call.end();
  answer(await peer.incoming('BYE'), 200);
  await client.close();
  peer.close();
});

test('a refresh that nobody answers ends the call by a BYE with the reason', async () => {
  const clock = new FakeClock();
  const timer = { name: 'Session-Expires', value: '600;refresher=uas' };
  const { peer, answer, caller, client } = await placed({}, { clock, headers: [timer] });
  clock.advanceMs(568_000);
  const bye = await peer.incoming('BYE');
  assert.equal(headerValue(bye, 'reason'), 'SIP;cause=408;text="session timer expired"');
  assert.deepEqual(caller.ends, [{ cause: 'timeout', reason: 'session timer expired' }]);
  answer(bye, 200);
  await client.close();
  peer.close();
});

test('a 422 to our INVITE: again, with the interval it asks for', async () => {
  const client = await startUserAgent();
  const peer = await RawPeer.open(0);
  const caller = recordingHandlers();
  const requestUri = `sip:callee@127.0.0.1:${peer.port}`;
  client.invite({ requestUri, from: '<sip:a@example.com>', offer: sdp, handlers: caller.handlers });
  const invite = await peer.incoming('INVITE');
  assert.equal(headerValue(invite, 'session-expires'), '1800');
  assert.equal(headerValue(invite, 'min-se'), '90');
  const answer = (request: SipRequest, status: number, minSe: string) => {
    const headers = [{ name: 'Min-SE', value: minSe }];
    peer.send(buildResponse(request, status, { toTag: 'a', headers }).bytes.toString(), request.via.port);
  };
  answer(invite, 422, '3600');
  const again = await peer.incoming('INVITE');
  assert.equal(headerValue(again, 'session-expires'), '3600');
  assert.equal(headerValue(again, 'min-se'), '3600');
  assert.equal(again.cseq.sequence, invite.cseq.sequence + 1);
  answer(again, 422, '3600');
  await caller.events.until((event) => event === 'ended rejected');
  assert.equal(caller.ends[0]?.status, 422);
  await client.close();
  peer.close();
});

test('an INVITE with too small an interval is refused before anybody hears of it', async () => {
  const sessions = new Arrivals<SipSession>();
  const server = await startUserAgent({ onInvite: acceptAll(sessions, recordingHandlers().handlers) });
  const peer = await RawPeer.open(portOf(server, 'udp'));
  peer.request('INVITE', { body: sdp, extra: ['Supported: timer', 'Session-Expires: 30'] });
  const refused = await peer.response('INVITE');
  assert.equal(refused.status, 422);
  assert.equal(headerValue(refused, 'min-se'), '90');
  peer.request('ACK', { branch: 'z9hG4bK-INVITE-1-call-1', toTag: refused.to.parameters.get('tag') });
  assert.equal(sessions.all.length, 0);
  await server.close();
  peer.close();
});
