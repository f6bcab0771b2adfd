import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { systemClock } from '../clock.ts';
import { Secret } from '../secret.ts';
import { makeSelfSigned } from './self-signed.ts';
import { Arrivals, requestText } from './test-peers.ts';
import type { Endpoint, Flow } from './transport.ts';
import { type TlsIdentity, TlsTransport } from './transport-tls.ts';

function identityFor(...names: string[]): TlsIdentity {
  const { cert, key } = makeSelfSigned(names, new Date(systemClock.unixMs() - 60_000));
  return { cert, key: new Secret(key) };
}

const identity = identityFor('sip.example.com', '127.0.0.1');
const received = new Arrivals<{ text: string; flow: Flow }>();
const message = requestText('OPTIONS', 5060, {});

class CountingGate {
  open = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  opened(): boolean {
    if (this.open >= this.#most) return false;
    this.open++;
    return true;
  }

  closed(): void {
    this.open--;
  }
}

const everybody = new CountingGate(1000);

function transportOf(ca: string | undefined, verify?: boolean, gate = everybody): TlsTransport {
  return new TlsTransport(
    {
      host: '127.0.0.1',
      port: 0,
      advertised: () => '127.0.0.1',
      gate,
      clock: systemClock,
      sink: { receive: (bytes, flow) => received.add({ text: Buffer.from(bytes).toString(), flow }) },
      failed: (error) => {
        throw error;
      },
    },
    { identity, ca, verify },
  );
}

const server = transportOf(undefined);
const knowing = transportOf(identity.cert);
const doubting = transportOf(undefined);
const careless = transportOf(undefined, false);
const transports = [server, knowing, doubting, careless];

before(() => Promise.all(transports.map((transport) => transport.start())));
after(async () => {
  await Promise.all(transports.map((transport) => transport.close()));
  for (const transport of transports) assert.equal(transport.connections, 0);
  while (everybody.open > 0) await new Promise(setImmediate);
});

function target(more: Partial<Endpoint> = {}): Endpoint {
  return { transport: 'tls', address: '127.0.0.1', port: server.port, ...more };
}

/** Undefined once the server has the message. */
async function ask(transport: TlsTransport, remote: Endpoint): Promise<Error | undefined> {
  const flow = transport.flowTo(remote);
  const failed = new Promise<Error>((resolve) => flow.send(Buffer.from(message), resolve));
  return Promise.race([failed, received.next().then(() => undefined)]);
}

const callers: [what: string, transport: TlsTransport, remote: Partial<Endpoint>, taken: boolean][] = [
  [
    'a peer that an authority of ours vouches for, by its name',
    knowing,
    { serverName: 'sip.example.com' },
    true,
  ],
  ['by its address', knowing, {}, true],
  ['by a name that is not its own', knowing, { serverName: 'other.example.com' }, false],
  ['a peer that nobody vouches for', doubting, { serverName: 'sip.example.com' }, false],
  ['the same where nobody asks', careless, { serverName: 'other.example.com' }, true],
  ['the same for a target that is not to be verified', doubting, { verify: false }, true],
];

for (const [what, transport, remote, taken] of callers)
  test(`${what}: ${taken ? 'called' : 'refused'}`, async () => {
    const error = await ask(transport, target(remote));
    assert.equal(error === undefined, taken, String(error));
  });

test('a connection serves both ways, and is not lent to another name', async () => {
  const flow = knowing.flowTo(target({ serverName: 'sip.example.com' }));
  assert.equal(knowing.flowTo(target({ serverName: 'sip.example.com' })), flow);
  assert.equal(knowing.flowTo(target()), knowing.flowTo(target()));
  assert.notEqual(knowing.flowTo(target({ serverName: 'other.example.com' })), flow);
  flow.send(Buffer.from(message));
  const arrived = await received.next();
  assert.equal(arrived.flow.transport, 'tls');
  arrived.flow.send(Buffer.from(requestText('NOTIFY', 5060, {})));
  assert.match((await received.next()).text, /^NOTIFY/);
});

async function dial(options: { minVersion?: 'TLSv1.1'; maxVersion?: 'TLSv1.1' } = {}): Promise<TLSSocket> {
  const socket = connect({
    port: server.port,
    host: '127.0.0.1',
    ca: identity.cert,
    ciphers: options.maxVersion ? 'DEFAULT@SECLEVEL=0' : undefined,
    ...options,
  });
  await once(socket, 'secureConnect');
  return socket;
}

test('TLS 1.1 is refused', async () => {
  await assert.rejects(dial({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
});

test('a new certificate is shown to new connections', async () => {
  const socket = await dial();
  assert.equal(socket.getPeerX509Certificate()?.toString(), identity.cert);
  const next = identityFor('127.0.0.1');
  server.renew(next);
  const again = connect({ port: server.port, host: '127.0.0.1', ca: next.cert });
  await once(again, 'secureConnect');
  assert.equal(again.getPeerX509Certificate()?.toString(), next.cert);
  assert.throws(() => server.renew({ ...identity, key: new Secret('no key') }));
  socket.destroy();
  again.destroy();
  server.renew(identity);
});

test('a source has so many connections, those that never end their handshake among them', async () => {
  const gate = new CountingGate(5);
  const guarded = transportOf(undefined, true, gate);
  await guarded.start();
  const half: Socket[] = [];
  for (let i = 0; i < 5; i++) {
    const socket = connectTcp(guarded.port, '127.0.0.1');
    await once(socket, 'connect');
    half.push(socket);
  }
  while (gate.open < 5) await new Promise(setImmediate);
  const refused = connectTcp(guarded.port, '127.0.0.1');
  refused.on('error', () => {});
  await once(refused, 'close');
  half.pop()?.destroy();
  while (gate.open >= 5) await new Promise(setImmediate);
  const socket = connect({ port: guarded.port, host: '127.0.0.1', ca: identity.cert });
  await once(socket, 'secureConnect');
  socket.destroy();
  for (const one of half) one.destroy();
  while (gate.open > 0) await new Promise(setImmediate);
  await guarded.close();
});

test('what is no TLS ends without harm', async () => {
  const socket = connectTcp(server.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(message);
  await once(socket, 'close');
  assert.ok((await dial()).destroy());
});
