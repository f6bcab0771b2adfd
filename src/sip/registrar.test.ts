import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, systemClock } from '../clock.ts';
import { Secret } from '../secret.ts';
import { answerChallenge } from './digest-client.ts';
import { DigestServer } from './digest-server.ts';
import { MemoryLocationStore } from './location-store.ts';
import { parseMessage } from './parser.ts';
import { Registrar, type RegistrarAnswer } from './registrar.ts';
import { portOf, recordingHandlers, requestText, sdp, startUserAgent } from './test-peers.ts';

const password = new Secret('wonderland');
const source = { transport: 'udp' as const, address: '203.0.113.9', port: 4000 };
const aor = 'sip:alice@example.com';

function setUp() {
  const clock = new FakeClock();
  const digest = new DigestServer({ clock, realm: 'example.com', password: () => password });
  const registrar = new Registrar({
    clock,
    digest,
    store: new MemoryLocationStore(),
    domains: ['example.com'],
  });
  let sequence = 0;
  /** Registers with a fresh challenge; `lines` are the Contact and Expires headers. */
  const register = async (
    lines: string[],
    { to = aor, callId = 'reg-1', number = ++sequence } = {},
  ): Promise<RegistrarAnswer> => {
    const headers = digest.challenges().map(({ value }) => ({ key: 'www-authenticate', value }));
    const wanted = { method: 'REGISTER', uri: 'sip:example.com' };
    const answer = answerChallenge({ status: 401, headers }, wanted, { username: 'alice', password });
    const text = requestText('REGISTER', 5060, {
      uri: wanted.uri,
      callId,
      sequence: number,
      extra: [...lines, `Authorization: ${answer?.value}`],
    })
      .replace('To: <sip:callee@127.0.0.1>', `To: <${to}>`)
      .replace(/Contact: <sip:caller.*\r\n/, '');
    const result = parseMessage(Buffer.from(text));
    if (!result.ok || result.message.kind !== 'request') throw new Error('not a request');
    return registrar.handle(result.message, source);
  };
  const contacts = async () => (await registrar.lookup(aor)).map(({ contact }) => contact);
  return { clock, registrar, register, contacts };
}

test('several bindings, preferred and newest first, until they expire', async () => {
  const { clock, registrar, register, contacts } = setUp();
  const first = await register([
    'Contact: <sip:a@10.0.0.1>;expires=100;q=0.5, <sip:b@10.0.0.2>;q=0.9',
    'Expires: 600',
  ]);
  assert.equal(first.status, 200);
  assert.deepEqual(
    first.headers.map(({ value }) => value),
    ['<sip:a@10.0.0.1>;expires=100', '<sip:b@10.0.0.2>;expires=600'],
  );
  assert.deepEqual(await contacts(), ['sip:b@10.0.0.2', 'sip:a@10.0.0.1']);
  assert.deepEqual((await registrar.lookup('sip:alice@EXAMPLE.com:5060'))[0]?.source, source);
  clock.advanceMs(100_000);
  assert.deepEqual(await contacts(), ['sip:b@10.0.0.2']);
  // A query changes nothing and tells what is bound.
  assert.deepEqual(
    (await register([])).headers.map(({ value }) => value),
    ['<sip:b@10.0.0.2>;expires=500'],
  );
  assert.deepEqual(await registrar.lookup('not a uri'), []);
});

test('expiry: refused when too short, cut when too long, zero removes', async () => {
  const { register, contacts } = setUp();
  const brief = await register(['Contact: <sip:a@10.0.0.1>;expires=30']);
  assert.equal(brief.status, 423);
  assert.deepEqual(brief.headers, [{ name: 'Min-Expires', value: '60' }]);
  for (const text of ['99999', '280297596632815', 'soon']) {
    const long = await register([`Contact: <sip:a@10.0.0.1>;expires=${text}`]);
    assert.deepEqual(long.headers[0]?.value, '<sip:a@10.0.0.1>;expires=3600', text);
  }
  assert.equal((await register(['Contact: <sip:a@10.0.0.1>', 'Expires: 0'])).status, 200);
  assert.deepEqual(await contacts(), []);
});

test('the star removes all, and only with an expiry of zero', async () => {
  const { register, contacts } = setUp();
  await register(['Contact: <sip:a@10.0.0.1>', 'Contact: <sip:b@10.0.0.2>']);
  assert.equal((await register(['Contact: *'])).status, 400);
  assert.equal((await register(['Contact: *, <sip:c@10.0.0.3>', 'Expires: 0'])).status, 400);
  assert.equal((await contacts()).length, 2);
  assert.equal((await register(['Contact: *', 'Expires: 0'])).status, 200);
  assert.deepEqual(await contacts(), []);
});

test('what is refused', async () => {
  const { register, contacts } = setUp();
  const contact = ['Contact: <sip:a@10.0.0.1>'];
  assert.equal((await register(contact, { to: 'sip:bob@example.com' })).status, 403);
  assert.equal((await register(contact, { to: 'sip:alice@elsewhere.com' })).status, 404);
  assert.equal((await register(contact, { to: 'tel:+1555' })).status, 400);
  assert.equal((await register(['Contact: sip:a@10.0.0.1?Route=x'])).status, 400);
  assert.equal((await register(contact, { number: 50 })).status, 200);
  assert.equal((await register(contact, { number: 50 })).status, 500);
  assert.equal((await register(contact, { number: 49, callId: 'other' })).status, 200);
  const many = Array.from({ length: 11 }, (_, index) => `Contact: <sip:x${index}@10.0.0.1>`);
  assert.equal((await register(many, { number: 60 })).status, 403);
  assert.deepEqual(await contacts(), ['sip:a@10.0.0.1']);
});

test('the store forgets the address registered longest ago when it is full', async () => {
  const store = new MemoryLocationStore({ maxAddresses: 2 });
  const binding = {
    contact: 'sip:x',
    path: [],
    flowId: undefined,
    source,
    expiresUnixMs: 1,
    registeredUnixMs: 0,
    q: 1,
    callId: 'c',
    sequence: 1,
  };
  for (const address of ['sip:a@x', 'sip:b@x', 'sip:c@x']) await store.update(address, () => [binding]);
  assert.equal(store.size, 2);
  assert.deepEqual(await store.find('sip:a@x'), []);
  await store.update('sip:b@x', () => []);
  assert.equal(store.size, 1);
});

test('a user agent registers with another, and is called at its binding', async () => {
  const digest = new DigestServer({
    clock: systemClock,
    realm: 'callreel',
    password: (username) => (username === 'alice' ? password : undefined),
  });
  const registrar = new Registrar({ clock: systemClock, digest, store: new MemoryLocationStore() });
  const server = await startUserAgent({ registrar });
  const phone = await startUserAgent();
  const options = {
    registrar: `sip:127.0.0.1:${portOf(server, 'udp')}`,
    aor,
    contactUser: 'alice',
    credentials: { username: 'alice', password },
  };
  const { expiresSeconds, contact } = await phone.register({ ...options, expiresSeconds: 20 });
  assert.equal(expiresSeconds, 60);
  const [binding] = await registrar.lookup(aor);
  assert.equal(binding?.contact, contact);
  const caller = recordingHandlers();
  server.invite({
    requestUri: binding.contact,
    nextHop: binding.source,
    transport: binding.source.transport,
    from: 'sip:bob@example.com',
    offer: sdp,
    handlers: caller.handlers,
  });
  await caller.events.next();
  assert.equal(caller.ends[0]?.status, 486);
  await phone.register({ ...options, expiresSeconds: 0 });
  assert.deepEqual(await registrar.lookup(aor), []);
  const wrong = { username: 'alice', password: new Secret('wrong') };
  await assert.rejects(phone.register({ ...options, expiresSeconds: 60, credentials: wrong }), {
    code: 'SIP_REFUSED',
  });
  await Promise.all([server.close(), phone.close()]);
});

test('the Path is kept and told; a path of nonsense is refused', async () => {
  const { registrar, register } = setUp();
  const path = ['<sip:edge.example.com;lr;ob>', '<sip:core.example.com;lr>'];
  const contact = 'Contact: <sip:a@10.0.0.1>';
  const answer = await register([contact, `Path: ${path.join(', ')}`, 'Supported: path']);
  assert.equal(answer.status, 200);
  assert.deepEqual(
    answer.headers.filter(({ name }) => name === 'Path').map(({ value }) => value),
    path,
  );
  assert.deepEqual((await registrar.lookup(aor))[0]?.path, path);
  assert.equal((await register([contact, 'Path: nonsense'])).status, 400);
  const long = Array.from({ length: 9 }, () => path[0]).join(',');
  assert.equal((await register([contact, `Path: ${long}`])).status, 400);
});

test('a flow of a phone replaces itself, from whatever port it comes', async () => {
  const { register, contacts } = setUp();
  const instance = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"';
  const from = (port: number, flow: number, callId: string) =>
    register([`Contact: <sip:a@10.0.0.1:${port}>;${instance};reg-id=${flow}`, 'Supported: path, outbound'], {
      callId,
    });
  const first = await from(4000, 1, 'one');
  assert.deepEqual(first.headers, [
    { name: 'Contact', value: `<sip:a@10.0.0.1:4000>;expires=3600;${instance};reg-id=1` },
    { name: 'Require', value: 'outbound' },
  ]);
  await from(4001, 2, 'two');
  await from(4002, 1, 'three');
  assert.deepEqual((await contacts()).toSorted(), ['sip:a@10.0.0.1:4001', 'sip:a@10.0.0.1:4002']);
});
