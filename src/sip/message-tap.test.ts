import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageTap } from './message-tap.ts';
import type { SipSession } from './session.ts';
import {
  Arrivals,
  acceptAll,
  portOf,
  RawPeer,
  recordingHandlers,
  sdp,
  startUserAgent,
} from './test-peers.ts';

function recorder(): { tap: MessageTap; seen: string[] } {
  const seen: string[] = [];
  const tap: MessageTap = (direction, bytes, flow) => {
    const [startLine = ''] = Buffer.from(bytes).toString().split('\r\n', 1);
    const { remote, local, transport } = flow;
    assert.equal(remote.address, '127.0.0.1');
    assert.equal(local.host, '127.0.0.1');
    seen.push(`${direction} ${transport} ${startLine.replace(/ sip:\S+/, '')}`);
  };
  return { tap, seen };
}

for (const transport of ['udp', 'tcp'] as const)
  test(`every message of a call over ${transport}, on both sides`, async () => {
    const [ours, theirs] = [recorder(), recorder()];
    const sessions = new Arrivals<SipSession>();
    const ended = Promise.withResolvers<void>();
    const server = await startUserAgent({
      tap: theirs.tap,
      onInvite: acceptAll(sessions, { ended: () => ended.resolve() }),
    });
    const client = await startUserAgent({ tap: ours.tap });
    const caller = recordingHandlers();
    const requestUri = `sip:1@127.0.0.1:${portOf(server, transport)};transport=${transport}`;
    const session = client.invite({
      requestUri,
      from: '<sip:a@127.0.0.1>',
      offer: sdp,
      handlers: caller.handlers,
    });
    await caller.events.until((event) => event === 'established');
    session.end();
    await ended.promise;
    await Promise.all([client.close(), server.close()]);
    const lines = [
      'INVITE SIP/2.0',
      'SIP/2.0 100 Trying',
      'SIP/2.0 200 OK',
      'ACK SIP/2.0',
      'BYE SIP/2.0',
      'SIP/2.0 200 OK',
    ];
    const sent = [true, false, false, true, true, false];
    const expected = (isCaller: boolean) =>
      lines.map((line, index) => `${sent[index] === isCaller ? 'sent' : 'received'} ${transport} ${line}`);
    assert.deepEqual(ours.seen, expected(true));
    assert.deepEqual(theirs.seen, expected(false));
  });

test('retransmissions and what is no message too; keep-alives not', async () => {
  const { tap, seen } = recorder();
  const server = await startUserAgent({ tap });
  const peer = await RawPeer.open(portOf(server, 'udp'));
  peer.send('\r\n\r\n');
  peer.send('nonsense');
  peer.request('OPTIONS', { toTag: 'unknown' });
  await peer.response('OPTIONS');
  peer.request('OPTIONS', { toTag: 'unknown' });
  while (seen.length < 5) await new Promise(setImmediate);
  await server.close();
  const answer = seen[2]!;
  assert.match(answer, /^sent udp SIP\/2\.0 \d{3}/);
  assert.deepEqual(seen, [
    'received udp nonsense',
    'received udp OPTIONS SIP/2.0',
    answer,
    'received udp OPTIONS SIP/2.0',
    answer,
  ]);
});
