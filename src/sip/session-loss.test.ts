import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import type { SipSession } from './session.ts';
import {
  Arrivals,
  acceptAll,
  portOf,
  quickTimers,
  recordingHandlers,
  sdp,
  startUserAgent,
} from './test-peers.ts';

throwOnUnlistedTransitions();

const calls = 12;
const lost = 0.1;

test('a tenth of all datagrams lost: changes by both sides arrive, each once, and the calls end on both', async () => {
  const offers: (string | undefined)[] = [];
  const more = {
    reoffered: (offer: string | undefined) => {
      offers.push(offer);
      return `${sdp}a=answer to ${offer?.split('a=').at(-1)}`;
    },
  };
  const callee = recordingHandlers(more);
  const sessions = new Arrivals<SipSession>();
  const onInvite = acceptAll(sessions, callee.handlers);
  const server = await startUserAgent({ onInvite, timers: quickTimers });
  const client = await startUserAgent({ timers: quickTimers });
  const hop = await lossyHop(portOf(server, 'udp'), 20_261_121);
  const caller = recordingHandlers(more);
  for (let round = 0; round < calls; round++) {
    const call = client.invite({
      requestUri: `sip:100@127.0.0.1:${portOf(server, 'udp')}`,
      from: '<sip:caller@example.com>',
      offer: sdp,
      nextHop: { address: '127.0.0.1', port: hop.port },
      handlers: caller.handlers,
    }) as Required<SipSession>;
    await caller.events.until((event) => event === 'established');
    const called = (await sessions.next()) as Required<SipSession>;
    const answerTo = (offer: string) => `${sdp}a=answer to ${offer.split('a=').at(-1)}`;
    for (const [who, session] of Object.entries({ call, called })) {
      const [first, second] = [`${sdp}a=${who} invite ${round}`, `${sdp}a=${who} update ${round}`];
      assert.equal(await session.reoffer(first), answerTo(first));
      assert.equal(await session.update(second), answerTo(second));
    }
    (round % 2 === 0 ? call : called).end();
    await caller.events.until((event) => event.startsWith('ended'));
    await callee.events.until((event) => event.startsWith('ended'));
  }
  assert.equal(offers.length, calls * 4);
  assert.equal(new Set(offers).size, calls * 4);
  assert.ok(hop.dropped() > calls);
  const causes = [...caller.ends, ...callee.ends].map(({ cause }) => cause);
  assert.deepEqual(new Set(causes), new Set(['local', 'remote']));
  await Promise.all([client.close(), server.close()]);
  hop.close();
});

/** Stays in the way of every request by Record-Route, and drops what a seeded generator says, each way. */
async function lossyHop(
  server: number,
  seed: number,
): Promise<{ port: number; dropped(): number; close(): void }> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  let client = 0;
  let dropped = 0;
  let state = seed;
  socket.on('message', (bytes, source) => {
    const up = source.port !== server;
    if (up) client = source.port;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    if (state / 2 ** 32 < lost) {
      dropped++;
      return;
    }
    const text = bytes
      .toString()
      .replace(/^(INVITE .*\r\n)/, `$1Record-Route: <sip:127.0.0.1:${port};lr>\r\n`);
    socket.send(text, up ? server : client, '127.0.0.1');
  });
  return { port, dropped: () => dropped, close: () => socket.close() };
}
