import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../media/control.ts';
import type { SipSession } from '../sip/session.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { WorkerPool } from '../worker/worker-pool.ts';
import { Leg } from './leg.ts';
import { MediaPlane } from './media-plane.ts';

function description(direction: string, address = '127.0.0.1'): string {
  const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', `c=IN IP4 ${address}`, 't=0 0'];
  return [...lines, 'm=audio 40000 RTP/AVP 0', `a=${direction}`, ''].join('\r\n');
}

/** A leg whose worker only writes down what it is told. */
async function answeredLeg(offer: string | undefined) {
  const commands: Command[] = [];
  const worker = {
    send: async (command: Command) => {
      commands.push(command);
      return command.verb === 'leg.open' ? { port: 20_000 } : {};
    },
  } as unknown as MediaWorker;
  const media = new MediaPlane({
    pool: { workerFor: () => worker, forget: () => undefined } as unknown as WorkerPool,
    advertisedAddress: () => '127.0.0.1',
    codecs: ['PCMU', 'PCMA'],
    codecOrder: 'offer',
    srtp: 'off',
    log: { warn: () => {} },
  });
  const accepted: string[] = [];
  const ended: (string | undefined)[] = [];
  const session = {
    direction: 'incoming',
    offer,
    peer: { transport: 'udp', address: '127.0.0.1', port: 5060 },
    headers: [],
    accept: (sdp: string) => accepted.push(sdp),
    end: (reason?: string) => ended.push(reason),
  } as unknown as SipSession;
  const connection = {
    connectionId: '0123456789abcdef',
  } as ConstructorParameters<typeof Leg>[0];
  const leg = new Leg(connection, session, media);
  await leg.openMedia('room');
  leg.answer();
  return { leg, session, commands, accepted, ended };
}

test('the leg tells each hold and each resumption once', async () => {
  const { leg, session } = await answeredLeg(description('sendrecv'));
  const told: string[] = [];
  leg.addHandlers({ held: () => told.push('held'), resumed: () => told.push('resumed') });
  for (const [direction, address] of [
    ['sendonly'],
    ['inactive'],
    ['sendrecv'],
    ['sendrecv'],
    ['sendrecv', '0.0.0.0'],
    ['recvonly'],
  ] as const) {
    const answer = await session.handlers.reoffered?.(description(direction, address));
    assert.equal(typeof answer, 'string');
  }
  assert.deepEqual(told, ['held', 'resumed', 'held', 'resumed']);
  assert.equal(leg.held, false);
});

test('an offer that is refused changes nothing about the hold', async () => {
  const { leg, session } = await answeredLeg(description('sendrecv'));
  await session.handlers.reoffered?.(description('inactive'));
  const refused = await session.handlers.reoffered?.('v=0\r\n');
  assert.equal(typeof refused === 'object' && refused.status, 488);
  assert.equal(leg.held, true);
});

test('a late offer: packets are taken before the answer, sent after it', async () => {
  const { session, commands, accepted } = await answeredLeg(undefined);
  assert.match(accepted[0] ?? '', /^m=audio 20000 RTP\/AVP 0 8/m);
  session.handlers.answered?.(description('sendrecv'));
  const agreed = commands.filter((command) => command.verb === 'leg.negotiate');
  assert.deepEqual(
    agreed.map(({ direction, remote }) => [direction, remote?.port]),
    [
      ['recvonly', undefined],
      ['sendrecv', 40_000],
    ],
  );
});

test('an answer that can not be understood ends a call that agreed on nothing, and no other', async () => {
  const late = await answeredLeg(undefined);
  late.session.handlers.answered?.('nonsense');
  assert.deepEqual(late.ended, ['SDP_INVALID']);
  const settled = await answeredLeg(description('sendrecv'));
  settled.session.handlers.answered?.('nonsense');
  assert.deepEqual(settled.ended, []);
});
