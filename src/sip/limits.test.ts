import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipSession } from './session.ts';
import { Arrivals, portOf, RawPeer, startUserAgent } from './test-peers.ts';

/** The loopback may ten times as much as these. */
const limits = { requestsPerSecond: 1, unansweredInvites: 1 };

async function open(onInvite: (session: SipSession) => void) {
  const lines: [message: string, fields: Record<string, unknown>][] = [];
  const server = await startUserAgent({
    limits,
    onInvite,
    log: (_level, message, fields) => lines.push([message, fields]),
  });
  return { server, lines, peer: await RawPeer.open(portOf(server, 'udp')) };
}

test('calls that nobody answers are refused from the eleventh on; an answer makes room for one', async () => {
  const ringing = new Arrivals<SipSession>();
  const { server, lines, peer } = await open((session) => ringing.add(session));
  for (let call = 1; call <= 10; call++) {
    peer.request('INVITE', { callId: `call-${call}` });
    await peer.response('INVITE', 100);
  }
  peer.request('INVITE', { callId: 'call-11' });
  const refusal = await peer.response('INVITE');
  assert.equal(refusal.status, 503);
  assert.equal(refusal.headers.find(({ key }) => key === 'retry-after')?.value, '5');
  const [first] = ringing.all;
  first?.reject({ status: 486 });
  peer.request('INVITE', { callId: 'call-12' });
  await peer.response('INVITE', 100);
  assert.equal(ringing.all.length, 11);
  assert.deepEqual(lines, [['SIP refused', { source: '127.0.0.1', reason: 'too many unanswered INVITEs' }]]);
  peer.close();
  await server.close();
});

test('a flood of requests is answered 503, then not at all; what belongs to a call goes through', async () => {
  const { server, lines, peer } = await open(() => {});
  const sent = 100;
  for (let request = 0; request < sent; request++) peer.request('OPTIONS', { callId: `options-${request}` });
  peer.request('BYE', { callId: 'none', toTag: 'unknown' });
  assert.equal((await peer.response('BYE')).status, 481);
  const statuses = peer.received.all.flatMap((message) =>
    message.kind === 'response' ? [message.status] : [],
  );
  const count = (status: number) => statuses.filter((each) => each === status).length;
  // A burst of twenty, and what a slow machine adds to it.
  assert.ok(count(200) >= 20 && count(200) < 60, `${count(200)} answered`);
  assert.ok(count(503) >= 20 && count(503) < 60, `${count(503)} refused`);
  assert.ok(count(200) + count(503) < sent);
  assert.equal(lines.length, 1);
  await server.close();
  assert.equal(lines.length, 2);
  assert.equal(lines[1]?.[1].count, sent - count(200) - 1);
  peer.close();
});
