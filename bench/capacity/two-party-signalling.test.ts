import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { SipEnd, SipSession } from '../../src/sip/session.ts';
import { UserAgent } from '../../src/sip/user-agent.ts';
import { CallRefused, describeMedia, host, TwoPartySignalling } from './two-party-signalling.ts';

const media = { caller: { port: 20_000 }, called: { port: 20_002 } };
const index = 7;

/** Who is called by the bench, and calls its called parties: what it does is up to the test. */
async function openServer(onInvite: (session: SipSession) => void) {
  const agent = new UserAgent({
    clock: systemClock,
    log: () => undefined,
    listen: [{ transport: 'udp', host, port: 0 }],
    product: 'test',
    onInvite: (session) => {
      session.handlers = { ended: () => undefined };
      onInvite(session);
    },
  });
  await agent.start();
  const callCalled = (number: string, uri: string, answered: () => void) =>
    new Promise<SipEnd>((resolve) => {
      agent.invite({
        requestUri: uri,
        from: `<sip:${number}@${host}>`,
        offer: describeMedia({ port: 30_002 }),
        transport: 'udp',
        handlers: { established: answered, ended: resolve },
      });
    });
  return {
    callCalled,
    uri: `sip:100@${host}:${agent.listening[0]?.port}`,
    [Symbol.asyncDispose]: () => agent.close(),
  };
}

test('an INVITE of a call that was refused is declined, and not taken for the next call of its index', async () => {
  await using signalling = await TwoPartySignalling.open();
  const invited: SipSession[] = [];
  const comesAgain = Promise.withResolvers<void>();
  await using server = await openServer((session) => {
    invited.push(session);
    if (invited.length === 1) session.reject({ status: 486 });
    else comesAgain.resolve();
  });
  const calledUri = signalling.calledUri(index);

  await assert.rejects(signalling.call(index, server.uri, media), CallRefused);
  const next = signalling.call(index, server.uri, media);
  await comesAgain.promise;
  const [first, second] = invited.map(({ to }) => to.user) as [string, string];
  assert.notEqual(first, second);
  assert.equal((await server.callCalled(first, calledUri, assert.fail)).status, 603);
  assert.equal((await server.callCalled(second, signalling.calledUri(index + 1), assert.fail)).status, 603);
  assert.equal(signalling.strayInvites, 2);

  const { promise: answered, resolve } = Promise.withResolvers<void>();
  const calledOver = server.callCalled(second, calledUri, resolve);
  await answered;
  invited[1]!.accept(describeMedia({ port: 30_000 }));
  assert.deepEqual(await next, { caller: { port: 30_000 }, called: { port: 30_002 } });

  assert.equal((await server.callCalled(second, calledUri, assert.fail)).status, 603, 'it is called once');
  assert.equal(signalling.strayInvites, 3);
  await signalling[Symbol.asyncDispose]();
  assert.equal((await calledOver).cause, 'remote');
});

test('a called party that has answered is hung up where its caller is refused', async () => {
  await using signalling = await TwoPartySignalling.open();
  const comes = Promise.withResolvers<SipSession>();
  await using server = await openServer(comes.resolve);
  const refused = signalling.call(index, server.uri, media);
  refused.catch(() => undefined);
  const session = await comes.promise;
  const answered = Promise.withResolvers<void>();
  const called = server.callCalled(session.to.user, signalling.calledUri(index), answered.resolve);
  await answered.promise;
  session.reject({ status: 503 });
  await assert.rejects(refused, ({ status }: CallRefused) => status === 503);
  assert.equal((await called).cause, 'remote');
  assert.equal(signalling.strayInvites, 0);
});
