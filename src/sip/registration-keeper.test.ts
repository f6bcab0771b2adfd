import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, systemClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { Secret } from '../secret.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { DigestServer } from './digest-server.ts';
import { MemoryLocationStore } from './location-store.ts';
import { headerValue, type SipRequest } from './message.ts';
import { Registrar } from './registrar.ts';
import type { Registration } from './registration.ts';
import { RegistrationKeeper, registrationTable } from './registration-keeper.ts';
import { buildResponse, type ResponseOptions } from './serializer.ts';
import { portOf, RawPeer, startUserAgent } from './test-peers.ts';

throwOnUnlistedTransitions();

testTransitions('registration', registrationTable, {
  states: ['idle', 'registering', 'registered', 'refreshing', 'waiting', 'removing', 'closed'],
  events: ['register', 'granted', 'failed', 'refresh-due', 'retry-due', 'close', 'removed'],
  expected: [
    ['idle', 'register', 'registering', 'RFC 3261 10.2: adding bindings'],
    ['idle', 'close', 'closed', 'RFC 3261 10.2.2: there is no binding to remove'],
    ['registering', 'granted', 'registered', 'RFC 3261 10.2.4: 2xx'],
    ['registering', 'failed', 'waiting', 'RFC 5626 4.5: flow recovery'],
    ['registering', 'close', 'removing', 'RFC 3261 10.2.2: removing bindings'],
    ['registered', 'refresh-due', 'refreshing', 'RFC 3261 10.2.4: refreshing bindings'],
    ['registered', 'close', 'removing', 'RFC 3261 10.2.2'],
    ['refreshing', 'granted', 'registered', 'RFC 3261 10.2.4'],
    ['refreshing', 'failed', 'waiting', 'RFC 5626 4.5'],
    ['refreshing', 'close', 'removing', 'RFC 3261 10.2.2'],
    ['waiting', 'retry-due', 'registering', 'RFC 5626 4.5'],
    ['waiting', 'close', 'closed', 'RFC 3261 10.2.2: there is no binding to remove'],
    ['removing', 'removed', 'closed', 'RFC 3261 10.2.2'],
  ],
});

/** A registrar of one answer after another, and the expiries it was asked for. */
function scripted(...answers: (number | CallreelError)[]) {
  const asked: number[] = [];
  const register = async (expiresSeconds: number): Promise<Registration> => {
    asked.push(expiresSeconds);
    const answer = answers.shift() ?? 3600;
    if (answer instanceof CallreelError) throw answer;
    return { expiresSeconds: answer, contact: 'sip:me@192.0.2.1', serviceRoute: [] };
  };
  return { asked, client: { register } };
}

function keep(answers: (number | CallreelError)[], random = () => 1) {
  const clock = new FakeClock();
  const { asked, client } = scripted(...answers);
  const keeper = new RegistrationKeeper({ clock, log: () => {}, client, random });
  /** Whatever is settled by now is settled. */
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, keeper, asked, settled };
}

const unreachable = new CallreelError('SIP_UNREACHABLE', 'no answer');
const forbidden = new CallreelError('SIP_REFUSED', 'refused', { where: '403' });

test('refreshes at four fifths of what was granted', async () => {
  const { clock, keeper, asked, settled } = keep([100, 200]);
  keeper.start();
  await settled();
  assert.equal(keeper.status.state, 'registered');
  assert.equal(keeper.status.expiresUnixMs, clock.unixMs() + 100_000);
  clock.advanceMs(79_999);
  assert.equal(asked.length, 1);
  clock.advanceMs(1);
  assert.equal(keeper.status.state, 'refreshing');
  await settled();
  assert.equal(keeper.status.nextAttemptUnixMs, clock.unixMs() + 160_000);
  await keeper.close();
  assert.deepEqual(asked, [3600, 3600, 0]);
  assert.equal(keeper.status.state, 'closed');
  assert.equal(keeper.status.expiresUnixMs, undefined);
  assert.equal(clock.pendingTimers, 0);
});

test('waits twice as long after every failure, half an hour at most, less by a random part', async () => {
  const failures = Array.from({ length: 8 }, () => unreachable);
  for (const [random, factor] of [
    [1, 1],
    [0, 0.5],
  ] as const) {
    const { clock, keeper, settled } = keep([...failures, 60], () => random);
    keeper.start();
    const waits: number[] = [];
    for (let failure = 0; failure < failures.length; failure++) {
      await settled();
      assert.equal(keeper.status.state, 'waiting');
      const waitMs = (keeper.status.nextAttemptUnixMs ?? 0) - clock.unixMs();
      waits.push(waitMs / 1000 / factor);
      clock.advanceMs(waitMs);
    }
    assert.deepEqual(waits, [30, 60, 120, 240, 480, 960, 1800, 1800]);
    await settled();
    assert.equal(keeper.status.state, 'registered');
    assert.equal(keeper.status.consecutiveFailures, 0);
    assert.equal(keeper.status.error, undefined);
    await keeper.close();
  }
});

test('a refused refresh leaves the binding visible until it expires', async () => {
  const { clock, keeper, settled } = keep([100, forbidden]);
  keeper.start();
  await settled();
  clock.advanceMs(80_000);
  await settled();
  const { state, error, expiresUnixMs } = keeper.status;
  assert.deepEqual([state, error?.where, expiresUnixMs], ['waiting', '403', clock.unixMs() + 20_000]);
  clock.advanceMs(20_000);
  assert.equal(keeper.status.expiresUnixMs, undefined);
  await keeper.close();
  assert.equal(clock.pendingTimers, 0);
});

test('a registrar that says nothing to the removal is waited for four seconds', async () => {
  const clock = new FakeClock();
  let calls = 0;
  const never = new Promise<Registration>(() => {});
  const granted = { expiresSeconds: 60, contact: 'sip:me@192.0.2.1', serviceRoute: [] };
  const client = { register: () => (calls++ === 0 ? Promise.resolve(granted) : never) };
  const keeper = new RegistrationKeeper({ clock, log: () => {}, client });
  keeper.start();
  await new Promise((resolve) => setImmediate(resolve));
  const closing = keeper.close();
  assert.equal(keeper.status.state, 'removing');
  clock.advanceMs(4000);
  await closing;
  assert.equal(keeper.status.state, 'closed');
  await keeper.close();
});

/** Our user agent registers with a peer that answers by hand. */
async function registering(options: { password?: string } = {}) {
  const client = await startUserAgent();
  const peer = await RawPeer.open(0);
  const clock = new FakeClock();
  const password = new Secret(options.password ?? 'secret');
  const keeper = client.keepRegistered({
    registrar: `sip:127.0.0.1:${peer.port}`,
    aor: 'sip:me@example.com',
    contactUser: 'me',
    credentials: { username: 'me', password },
  });
  const answer = (request: SipRequest, status: number, responseOptions: ResponseOptions = {}) =>
    peer.send(
      buildResponse(request, status, { toTag: 'r', ...responseOptions }).bytes.toString(),
      request.via.port,
    );
  return { client, peer, clock, keeper, answer };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const challenge = (nonce: string, more = '') => ({
  headers: [{ name: 'WWW-Authenticate', value: `Digest realm="r", nonce="${nonce}", qop="auth"${more}` }],
});

function credentialsIn(request: SipRequest): { nonce: string | undefined; count: string | undefined } {
  const value = headerValue(request, 'authorization') ?? '';
  return { nonce: /nonce="(.*?)"/.exec(value)?.[1], count: /nc=([0-9a-f]+)/.exec(value)?.[1] };
}

test('the nonce is used again with the next count, and a stale one is replaced', async () => {
  const { client, peer, keeper, answer } = await registering();
  keeper.start();
  const first = await peer.incoming('REGISTER');
  answer(first, 401, challenge('one'));
  const second = await peer.incoming('REGISTER');
  assert.deepEqual(credentialsIn(second), { nonce: 'one', count: '00000001' });
  assert.equal(second.callId, first.callId);
  assert.equal(second.cseq.sequence, first.cseq.sequence + 1);
  answer(second, 423, { headers: [{ name: 'Min-Expires', value: '7200' }] });
  const third = await peer.incoming('REGISTER');
  assert.equal(headerValue(third, 'expires'), '7200');
  assert.deepEqual(credentialsIn(third), { nonce: 'one', count: '00000002' });
  answer(third, 401, challenge('two', ', stale=true'));
  const fourth = await peer.incoming('REGISTER');
  assert.deepEqual(credentialsIn(fourth), { nonce: 'two', count: '00000001' });
  const route = { name: 'Service-Route', value: '<sip:edge.example.com;lr>, <sip:core.example.com;lr>' };
  answer(fourth, 200, { headers: [{ name: 'Contact', value: headerValue(fourth, 'contact') ?? '' }, route] });
  await until(() => keeper.status.state === 'registered');
  const closing = client.close();
  const removal = await peer.incoming('REGISTER');
  assert.equal(headerValue(removal, 'expires'), '0');
  assert.deepEqual(credentialsIn(removal), { nonce: 'two', count: '00000002' });
  assert.deepEqual(keeper.status.registration, {
    expiresSeconds: 7200,
    contact: /<(.*)>/.exec(headerValue(fourth, 'contact') ?? '')?.[1],
    serviceRoute: ['<sip:edge.example.com;lr>', '<sip:core.example.com;lr>'],
  });
  answer(removal, 200);
  await closing;
  peer.close();
});

test('wrong credentials are not repeated', async () => {
  const { client, peer, keeper, answer } = await registering();
  keeper.start();
  answer(await peer.incoming('REGISTER'), 401, challenge('one'));
  answer(await peer.incoming('REGISTER'), 401, challenge('two'));
  await until(() => keeper.status.state === 'waiting');
  assert.equal(keeper.status.error?.where, '401');
  assert.equal(peer.texts.length, 2);
  await client.close();
  peer.close();
});

test('our registrar and our keeper agree', async () => {
  const password = new Secret('wonderland');
  const digest = new DigestServer({ clock: systemClock, realm: 'example.com', password: () => password });
  const registrar = new Registrar({ clock: systemClock, digest, store: new MemoryLocationStore() });
  const server = await startUserAgent({ registrar });
  const client = await startUserAgent();
  const { promise: registered, resolve } = Promise.withResolvers<void>();
  const keeper = client.keepRegistered({
    registrar: `sip:127.0.0.1:${portOf(server, 'udp')}`,
    aor: 'sip:alice@example.com',
    contactUser: 'alice',
    credentials: { username: 'alice', password },
    expiresSeconds: 20,
    changed: ({ state }) => state === 'registered' && resolve(),
  });
  keeper.start();
  await registered;
  assert.equal(keeper.status.registration?.expiresSeconds, 60);
  assert.equal((await registrar.lookup('sip:alice@example.com')).length, 1);
  await client.close();
  assert.deepEqual(await registrar.lookup('sip:alice@example.com'), []);
  await server.close();
});
