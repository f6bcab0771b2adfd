import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, suite, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { Secret } from '../../src/secret.ts';
import { DigestServer } from '../../src/sip/digest-server.ts';
import { MemoryLocationStore } from '../../src/sip/location-store.ts';
import { Registrar } from '../../src/sip/registrar.ts';
import { parseSipUri } from '../../src/sip/uri.ts';
import { UserAgent } from '../../src/sip/user-agent.ts';
import { type IncomingPhoneCall, Phone, type PhoneOptions } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { eventually } from './eventually.ts';
import { HttpClient } from './http-client.ts';
import { calledNumber, Scene } from './scene.ts';

interface TrunkBody {
  trunk_id: string;
  registration: { state: string; since: string; last_error: string | null } | null;
}

interface ConnectionBody {
  connection_id: string;
  from: string;
  to: string;
  direction: string;
  end_reason: string | null;
  trunk_id: string | null;
  sip_identity: Record<string, unknown> | null;
}

/** The server takes calls from its trunks alone, and from the addresses of the scene's own phones. */
const scene = await Scene.open({ settings: { CALLREEL_SIP_ALLOW_CALLS_FROM: '127.0.0.1/32' } });
const http = new HttpClient(scene.server.callreel);
const phones: Phone[] = [];
after(async () => {
  await Promise.all(phones.map((phone) => phone.close()));
  await scene[Symbol.asyncDispose]();
});

async function phoneAt(host: string, options: Partial<PhoneOptions> = {}): Promise<Phone> {
  const phone = await Phone.create({ number: `+1555${phones.length}000`, host, ...options });
  phones.push(phone);
  return phone;
}

async function addTrunk(body: Record<string, unknown>): Promise<TrunkBody> {
  const answer = await http.json<TrunkBody>('POST', '/v1/trunks', body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
}

async function allow(prefix: string): Promise<void> {
  const { status } = await http.json('POST', '/v1/dial-permissions', { prefix, allow: true });
  assert.equal(status, 200);
}

function portOf(phone: Phone): number {
  return parseSipUri(phone.sipUri)?.port ?? 0;
}

/** The row of the call of a direction between these, once it has ended. */
function endedConnection(wanted: Partial<ConnectionBody>): Promise<ConnectionBody> {
  return eventually(`the end of ${JSON.stringify(wanted)}`, async () => {
    const { body } = await http.get<{ results: ConnectionBody[] }>('/v1/connections?limit=200');
    return body.results.find(
      (row) =>
        row.end_reason !== null &&
        Object.entries(wanted).every(([key, value]) => row[key as keyof ConnectionBody] === value),
    );
  });
}

function answering(phone: Phone): Promise<PhoneCall> {
  const { promise, resolve } = Promise.withResolvers<PhoneCall>();
  phone.onCall = async (incoming) => {
    incoming.ring();
    resolve(await incoming.answer());
  };
  return promise;
}

/** Refuses every call, and notes the number that was asked for. */
function refusing(phone: Phone, status: number): string[] {
  const asked: string[] = [];
  phone.onCall = (incoming: IncomingPhoneCall) => {
    asked.push(incoming.to.user);
    incoming.reject(status);
  };
  return asked;
}

suite('trunks', { concurrency: true }, () => {
  test('a trunk registers, shows how it stands, and its calls come in by the contact it was given', async () => {
    const digest = new DigestServer({
      clock: systemClock,
      realm: 'carrier',
      password: (user) => (user === 'account' ? new Secret('right') : undefined),
    });
    const store = new MemoryLocationStore();
    const registrar = new Registrar({ clock: systemClock, digest, store, canonicalHost: 'carrier' });
    const carrier = new UserAgent({
      clock: systemClock,
      log: () => {},
      listen: [{ transport: 'udp', host: '127.0.0.3', port: 0 }],
      product: 'carrier',
      onInvite: (session) => session.reject({ status: 404 }),
      registrar,
    });
    await carrier.start();
    const port = carrier.listening[0]!.port;
    const account = { host: '127.0.0.3', port, username: 'account', register: true };
    const wrong = await addTrunk({ ...account, name: 'wrong-password', password: 'wrong' });
    const trunk = await addTrunk({ ...account, name: 'registered', password: 'right', country: 'DE' });
    const stateOf = async ({ trunk_id }: TrunkBody, state: string) =>
      eventually(`the registration ${state}`, async () => {
        const { body } = await http.get<TrunkBody>(`/v1/trunks/${trunk_id}`);
        return body.registration?.state === state ? body.registration : undefined;
      });
    await stateOf(trunk, 'registered');
    assert.match((await stateOf(wrong, 'failing')).last_error ?? '', /401|403|407/);
    const [binding] = await registrar.lookup('sip:account@carrier');
    assert.equal(parseSipUri(binding!.contact)?.user, trunk.trunk_id);

    const network = await phoneAt('127.0.0.3', { number: '030123456' });
    scene.audience.routineFor('+4930901820', [scene.join('by contact')]);
    const call = await network.call(binding!.contact, {
      headers: [
        { name: 'P-Called-Party-ID', value: `<sip:${calledNumber}@carrier>` },
        { name: 'P-Asserted-Identity', value: '"Ann" <sip:030901820@carrier>' },
        { name: 'Diversion', value: '<sip:+4989111@carrier>;reason=unconditional' },
      ],
    });
    await call.hangUp();
    const row = await endedConnection({ trunk_id: trunk.trunk_id });
    assert.deepEqual([row.from, row.end_reason], ['+4930901820', 'hung-up']);
    const identity = row.sip_identity as { trusted: boolean; asserted: object[]; diversion: object[] };
    assert.equal(identity.trusted, true);
    assert.deepEqual(identity.asserted, [{ uri: 'sip:030901820@carrier', display_name: 'Ann' }]);
    assert.deepEqual(identity.diversion, [
      { uri: 'sip:+4989111@carrier', display_name: null, reason: 'unconditional', counter: null },
    ]);

    assert.equal((await http.delete(`/v1/trunks/${trunk.trunk_id}`)).status, 204);
    await eventually('the binding removed', async () =>
      (await registrar.lookup('sip:account@carrier')).length === 0 ? true : undefined,
    );
    assert.equal((await http.delete(`/v1/trunks/${wrong.trunk_id}`)).status, 204);
    await carrier.close();
  });

  test('a stranger is refused; whatever it asserts', async () => {
    const stranger = await phoneAt('127.0.0.9');
    await assert.rejects(stranger.call(scene.server.sipUri(calledNumber)), { sipStatus: 403 });
  });

  test('an anonymous caller of a trunk, and what is kept of it', async () => {
    const trunk = await addTrunk({ name: 'anonymous', host: '127.0.0.4' });
    const network = await phoneAt('127.0.0.4', { number: 'anonymous', displayName: 'Anonymous' });
    scene.audience.routineFor('anonymous', [scene.join('anonymous')]);
    const passport = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln;info=<https://cert.example.org/p.cer>;alg=ES256';
    const call = await network.call(scene.server.sipUri(calledNumber), {
      headers: [
        { name: 'P-Asserted-Identity', value: '<tel:+4930901820;verstat=TN-Validation-Passed>' },
        { name: 'Privacy', value: 'id' },
        { name: 'Identity', value: passport },
      ],
    });
    await call.hangUp();
    const row = await endedConnection({ trunk_id: trunk.trunk_id });
    assert.equal(row.from, 'anonymous');
    const { privacy, passports, verstat } = row.sip_identity ?? {};
    assert.deepEqual([privacy, passports, verstat], [['id'], [passport], 'TN-Validation-Passed']);
  });

  test('the cheaper trunk first, the next one where it cannot be reached or is out of order', async () => {
    const [broken, good] = [await phoneAt('127.0.0.5'), await phoneAt('127.0.0.6')];
    const asked = refusing(broken, 503);
    const answered = answering(good);
    const route = (cost: number) => ({ routes: [{ prefix: '+4940', cost }] });
    // Nobody listens there: the connection is refused at once.
    await addTrunk({ name: 'closed', host: '127.0.0.5', port: 1, transport: 'tcp', ...route(1) });
    await addTrunk({ name: 'broken', host: '127.0.0.5', port: portOf(broken), ...route(2) });
    const trunk = await addTrunk({
      name: 'good',
      host: '127.0.0.5',
      port: portOf(broken),
      gateways: [{ host: '127.0.0.6', port: portOf(good) }],
      number_format: 'national',
      country: 'DE',
      ...route(3),
    });
    await allow('+4940');
    const caller = await scene.call([{ name: 'CallPhone', phone_number: '+4940123456' }]);
    const callee = await answered;
    assert.equal(callee.session.to.user, '040123456');
    assert.deepEqual(asked, ['+4940123456', '040123456']);
    await callee.hangUp();
    await caller.ended;
    const row = await endedConnection({ to: '+4940123456', end_reason: 'hung-up' });
    assert.equal(row.trunk_id, trunk.trunk_id);
    await endedConnection({ to: '+4940123456', end_reason: 'unreachable' });
  });

  test('a gateway that says nothing is given up for the next', async () => {
    const mute = createSocket('udp4');
    await new Promise<void>((resolve) => mute.bind(0, '127.0.0.10', resolve));
    const good = await phoneAt('127.0.0.10');
    const answered = answering(good);
    await addTrunk({
      name: 'half-dead',
      host: '127.0.0.10',
      port: mute.address().port,
      gateways: [{ host: '127.0.0.10', port: portOf(good) }],
      routes: [{ prefix: '+4970' }],
    });
    await allow('+4970');
    const caller = await scene.call([{ name: 'CallPhone', phone_number: '+4970123456' }]);
    await (await answered).hangUp();
    await caller.ended;
    await endedConnection({ to: '+4970123456', end_reason: 'unreachable' });
    mute.close();
  });

  test('a busy or a declining party is asked once, by no other trunk', async () => {
    const [first, second] = [await phoneAt('127.0.0.7'), await phoneAt('127.0.0.7')];
    const askedFirst = refusing(first, 486);
    const askedSecond = refusing(second, 500);
    const route = (cost: number) => ({ routes: [{ prefix: '+4950', cost }] });
    await addTrunk({ name: 'busy', host: '127.0.0.7', port: portOf(first), ...route(1) });
    await addTrunk({ name: 'unasked', host: '127.0.0.7', port: portOf(second), ...route(2) });
    await allow('+4950');
    await assert.rejects(scene.call([{ name: 'CallPhone', phone_number: '+4950123456' }]));
    assert.deepEqual([askedFirst, askedSecond], [['+4950123456'], []]);
    await endedConnection({ to: '+4950123456', end_reason: 'busy' });
  });

  test('what a trunk wants to see of the caller', async () => {
    const peer = await phoneAt('127.0.0.8');
    const invited = Promise.withResolvers<IncomingPhoneCall>();
    peer.onCall = (incoming) => {
      invited.resolve(incoming);
      incoming.reject(603);
    };
    await addTrunk({
      name: 'identity',
      host: '127.0.0.8',
      port: portOf(peer),
      from_number: '+4930901820',
      from_user: 'account',
      from_domain: 'ims.example.com',
      privacy: 'always',
      dial_prefix: '99',
      routes: [{ prefix: '+4960' }],
    });
    await allow('+4960');
    const caller = await scene.call([
      { name: 'Say', text: 'One moment.' },
      { name: 'CallPhone', phone_number: '+4960123456' },
    ]);
    const { session, from, to } = await invited.promise;
    const header = (name: string) => session.headers.find((candidate) => candidate.name === name)?.value;
    assert.equal(from.uri, 'sip:anonymous@anonymous.invalid');
    assert.equal(header('P-Asserted-Identity'), '<sip:+4930901820@ims.example.com>');
    assert.equal(header('Privacy'), 'id');
    assert.equal(to.user, '99+4960123456');
    await caller.ended;
    await endedConnection({ to: '+4960123456', end_reason: 'declined' });
  });
});
