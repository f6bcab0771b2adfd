import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { TestServer } from '../../src/testkit/server.ts';

/**
 * RFC 4475, every message, byte for byte, over the transport its Via names: what the whole server answers. `dropped`:
 * a response to nothing of ours. Where the RFC leaves a choice, `why` says which one is taken.
 */
interface Row {
  section: string;
  answer: number | 'dropped';
  why: string;
  /** Must stand in the answer. */
  header?: RegExp;
}

const rows: Record<string, Row> = {
  wsinv: {
    section: '3.1.1.1',
    answer: 481,
    why: 'well-formed; its To has a tag of no dialog of ours (RFC 3261 section 12.2.2)',
  },
  intmeth: {
    section: '3.1.1.2',
    answer: 501,
    why: 'well-formed; an unknown method (RFC 3261 section 8.2.1)',
  },
  esc01: { section: '3.1.1.3', answer: 404, why: 'well-formed; nobody is called sips:user@example.com' },
  escnull: { section: '3.1.1.4', answer: 401, why: 'well-formed; the registrar asks who it is' },
  esc02: { section: '3.1.1.5', answer: 501, why: 'the method is not REGISTER: escapes mean nothing there' },
  lwsdisp: { section: '3.1.1.6', answer: 200, why: 'no space is needed before a bracket' },
  longreq: { section: '3.1.1.7', answer: 200, why: 'long is not malformed' },
  dblreq: {
    section: '3.1.1.8',
    answer: 401,
    why: 'one request; what lies behind it in the datagram is ignored',
  },
  semiuri: { section: '3.1.1.9', answer: 200, why: 'a semicolon may stand in the user part' },
  transports: {
    section: '3.1.1.10',
    answer: 200,
    why: 'unknown transports in other Vias are not ours to judge',
  },
  mpart01: {
    section: '3.1.1.11',
    answer: 405,
    why: 'well-formed; MESSAGE is known and not taken',
    header: /^Allow: .*INVITE/m,
  },
  unreason: { section: '3.1.1.12', answer: 'dropped', why: 'well-formed; no transaction of ours' },
  noreason: { section: '3.1.1.13', answer: 'dropped', why: 'well-formed; no transaction of ours' },
  badinv01: { section: '3.1.2.1', answer: 400, why: 'separators with nothing between' },
  clerr: { section: '3.1.2.2', answer: 400, why: 'Content-Length beyond the end of the datagram' },
  ncl: { section: '3.1.2.3', answer: 400, why: 'negative Content-Length' },
  scalar02: { section: '3.1.2.4', answer: 400, why: 'CSeq, Max-Forwards and Expires out of range' },
  scalarlg: { section: '3.1.2.5', answer: 'dropped', why: 'a response with a CSeq out of range' },
  quotbal: { section: '3.1.2.6', answer: 400, why: 'an unterminated quoted string in To' },
  ltgtruri: { section: '3.1.2.7', answer: 400, why: 'a Request-URI in brackets' },
  lwsruri: { section: '3.1.2.8', answer: 400, why: 'a space within the Request-URI' },
  lwsstart: { section: '3.1.2.9', answer: 400, why: 'more than one space in the start line' },
  trws: { section: '3.1.2.10', answer: 400, why: 'spaces behind the version' },
  escruri: { section: '3.1.2.11', answer: 400, why: 'escaped headers in the Request-URI' },
  baddate: { section: '3.1.2.12', answer: 200, why: 'a Date we have no need of is ignored' },
  regbadct: { section: '3.1.2.13', answer: 400, why: 'a Contact with headers outside of brackets' },
  badaspec: { section: '3.1.2.14', answer: 200, why: 'spaces around the address are read over' },
  baddn: { section: '3.1.2.15', answer: 200, why: 'a comma in an unquoted display name is read over' },
  badvers: { section: '3.1.2.16', answer: 505, why: 'SIP/7.0' },
  mismatch01: { section: '3.1.2.17', answer: 400, why: 'CSeq names another method' },
  mismatch02: { section: '3.1.2.18', answer: 400, why: 'CSeq names another method' },
  bigcode: { section: '3.1.2.19', answer: 'dropped', why: 'a response with a status out of range' },
  badbranch: {
    section: '3.2.1',
    answer: 200,
    why: 'matched by the rules of RFC 2543 (RFC 3261 section 17.2.3)',
  },
  insuf: { section: '3.3.1', answer: 400, why: 'no Call-ID, From, To' },
  unkscm: { section: '3.3.2', answer: 416, why: 'a Request-URI of an unknown scheme' },
  novelsc: { section: '3.3.3', answer: 416, why: 'a Request-URI of a scheme we never take' },
  unksm2: { section: '3.3.4', answer: 400, why: 'nothing of another scheme is registered here' },
  bext01: {
    section: '3.3.5',
    answer: 420,
    why: 'as a user agent: what Require names, not what Proxy-Require names',
    header: /^Unsupported: nothingSupportsThis, nothingSupportsThisEither\r$/m,
  },
  invut: {
    section: '3.3.6',
    answer: 415,
    why: 'a body of an unknown type',
    header: /^Accept: .*application\/sdp/m,
  },
  regaut01: {
    section: '3.3.7',
    answer: 401,
    why: 'credentials of an unknown scheme are as good as none',
    header: /^WWW-Authenticate: Digest /m,
  },
  multi01: { section: '3.3.8', answer: 400, why: 'several values where one may stand' },
  mcl01: { section: '3.3.9', answer: 400, why: 'two lengths: nobody knows where it ends' },
  bcast: { section: '3.3.10', answer: 'dropped', why: 'a response whose Via is not ours goes nowhere' },
  zeromf: { section: '3.3.11', answer: 200, why: 'as its user agent we answer whatever Max-Forwards says' },
  cparam01: { section: '3.3.12', answer: 401, why: 'well-formed; the registrar asks who it is' },
  cparam02: { section: '3.3.13', answer: 401, why: 'well-formed; the registrar asks who it is' },
  regescrt: { section: '3.3.14', answer: 401, why: 'well-formed; the registrar asks who it is' },
  sdp01: { section: '3.3.15', answer: 406, why: 'it takes no SDP, and every 200 of ours carries some' },
  inv2543: { section: '3.4.1', answer: 200, why: 'no branch, tag, length or Contact, as RFC 2543 allowed' },
};

const folder = new URL('../data/rfc4475/', import.meta.url);
const called = ['user', 'UserB'];
const answerTimeoutMs = 30_000;
/** How long nothing may come back of what is dropped: four of a client's T1 (RFC 3261 section 17.1.1.1). */
const silenceMs = 2000;

let app: CallbackApp;
/** Some messages share a transaction identifier: the second of them goes to another server. */
let servers: TestServer[];
const sentTo = new Map<string, number>();

before(async () => {
  app = await CallbackApp.create();
  app.on('/incoming', () => ({ routine: [{ name: 'JoinConference', conference_name: 'torture' }] }));
  const start = () =>
    TestServer.start({
      numbers: called.map((number) => ({ number, onIncoming: app.url('/incoming') })),
      settings: { CALLREEL_SIP_USERS: JSON.stringify([{ username: 'user', password: 'secret' }]) },
    });
  servers = [await start(), await start()];
});

after(async () => {
  for (const server of servers) await server.stop();
  await app.close();
});

test('the table has a row for each of the 49 messages', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.dat'));
  assert.equal(files.length, 49);
  assert.deepEqual(Object.keys(rows).sort(), files.map((name) => name.replace('.dat', '')).sort());
});

for (const [name, { section, answer, why, header }] of Object.entries(rows)) {
  if (answer === 'dropped') continue;
  test(`RFC 4475 section ${section} ${name}: ${answer} (${why})`, async () => {
    const message = readFileSync(new URL(`${name}.dat`, folder));
    const server = serverFor(message);
    const answers = await answersOf(server, message);
    const finals = answers.filter((text) => !text.startsWith('SIP/2.0 1'));
    const statuses = [...new Set(finals.map((text) => Number(text.slice(8, 11))))];
    assert.deepEqual(statuses, [answer], answers.join('\n'));
    if (header) assert.match(finals[0]!, header);
    assert.equal((await overUdp(server, options())).length, 1, 'the server is as well as before');
  });
}

/** Listened for at once, each from an address of its own, so that what came back would be its own too. */
suite('RFC 4475, what is dropped', { concurrency: true }, () => {
  const dropped = Object.entries(rows).filter(([, { answer }]) => answer === 'dropped');
  for (const [name, { section, why }] of dropped)
    test(`section ${section} ${name}: nothing comes back (${why})`, async () => {
      const message = readFileSync(new URL(`${name}.dat`, folder));
      const startUs = systemClock.monotonicUs();
      assert.deepEqual(await answersOf(servers[0]!, message, silenceMs), []);
      assert.ok(systemClock.monotonicUs() - startUs >= silenceMs * 1000, 'nobody listened');
      assert.equal((await overUdp(servers[0]!, options())).length, 1, 'the server is as well as before');
    });
});

test('on a stream, two lengths end the connection: nobody knows where the next message begins', {
  timeout: 60_000,
}, async () => {
  const message = readFileSync(new URL('mcl01.dat', folder));
  const socket = await openTcp(servers[0]!);
  socket.resume();
  socket.write(message);
  await once(socket, 'close');
});

async function answersOf(server: TestServer, message: Buffer, quietMs?: number): Promise<string[]> {
  const isStream = /^v(ia)?\s*:\s*SIP\s*\/\s*2\.0\s*\/\s*(TCP|TLS)/im.test(topVia(message));
  return await (isStream ? overTcp(server, message, quietMs) : overUdp(server, message, quietMs));
}

function serverFor(message: Buffer): TestServer {
  const key = `${message.toString('latin1').split(' ')[0]} ${topVia(message)}`;
  const index = sentTo.get(key) ?? 0;
  sentTo.set(key, index + 1);
  return servers[index]!;
}

function topVia(message: Buffer): string {
  const head = message
    .toString('latin1')
    .split('\r\n\r\n')[0]!
    .replace(/\r\n[ \t]+/g, ' ');
  return head.split('\r\n').find((line) => /^v(ia)?\s*:/i.test(line)) ?? '';
}

/**
 * Answers go to the port of the Via (RFC 3261 section 18.2.2), so that is where they are awaited: on a loopback
 * address of its own, where nobody else is.
 */
async function overUdp(server: TestServer, message: Buffer, quietMs?: number): Promise<string[]> {
  const port = Number(
    /:(\d{4,5})\b/.exec(
      topVia(message)
        .split(/;/)[0]!
        .replace(/^.*?SIP/i, ''),
    )?.[1] ?? 5060,
  );
  const socket = createSocket('udp4');
  const answers: string[] = [];
  socket.on('message', (bytes) => answers.push(String(bytes)));
  socket.bind(port, ownLoopback());
  await once(socket, 'listening');
  const udp = server.callreel.sip.find(({ transport }) => transport === 'udp')!;
  socket.send(message, udp.port, udp.host);
  await settled(answers, quietMs);
  socket.close();
  return answers;
}

async function overTcp(server: TestServer, message: Buffer, quietMs?: number): Promise<string[]> {
  const socket = await openTcp(server);
  const answers: string[] = [];
  socket.on('data', (bytes) => answers.push(...String(bytes).split(/(?=^SIP\/2\.0 )/m)));
  socket.write(message);
  await settled(answers, quietMs);
  socket.destroy();
  return answers;
}

async function openTcp(server: TestServer): Promise<Socket> {
  const tcp = server.callreel.sip.find(({ transport }) => transport === 'tcp')!;
  const socket = connect(tcp.port, tcp.host);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Until a final answer is there; with `quietMs`, all that time, whatever comes. */
async function settled(answers: string[], quietMs?: number): Promise<void> {
  const startUs = systemClock.monotonicUs();
  const elapsedMs = (): number => (systemClock.monotonicUs() - startUs) / 1000;
  const isFinal = (): boolean => answers.some((text) => !text.startsWith('SIP/2.0 1'));
  while (quietMs === undefined ? !isFinal() && elapsedMs() < answerTimeoutMs : elapsedMs() < quietMs)
    await sleep(systemClock, 10);
}

function ownLoopback(): string {
  const octet = (): number => 1 + Math.floor(Math.random() * 253);
  return `127.${octet()}.${octet()}.${octet()}`;
}

let optionsSent = 0;

function options(): Buffer {
  optionsSent++;
  return Buffer.from(
    `OPTIONS sip:user@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKok${optionsSent}\r\n` +
      `From: <sip:a@example.com>;tag=${optionsSent}\r\nTo: <sip:user@example.com>\r\nCall-ID: ok${optionsSent}\r\n` +
      'CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n',
  );
}
