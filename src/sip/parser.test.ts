import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bodyText, headerKey, headerValue, headerValues, type SipMessage, usualHeader } from './message.ts';
import { type ParseFailure, parseMessage, parserLimits } from './parser.ts';
import { requestText } from './test-peers.ts';

const folder = new URL('../../test/data/rfc4475/', import.meta.url);

/** Valid ones: the method or status read. Refused ones: status, place, and whether they can be answered. */
const torture: Record<string, string | [status: number, where: string, answerable: boolean]> = {
  badaspec: 'OPTIONS',
  badbranch: 'OPTIONS',
  baddate: 'INVITE',
  baddn: 'OPTIONS',
  badinv01: [400, 'Via', true],
  badvers: [505, 'start line', true],
  bcast: '200',
  bext01: 'OPTIONS',
  bigcode: [400, 'start line', false],
  clerr: [400, 'Content-Length', true],
  cparam01: 'REGISTER',
  cparam02: 'REGISTER',
  dblreq: 'REGISTER',
  esc01: 'INVITE',
  esc02: 'RE%47IST%45R',
  escnull: 'REGISTER',
  escruri: [400, 'Request-URI', true],
  insuf: [400, 'Call-ID', true],
  intmeth: "!interesting-Method0123456789_*+`.%indeed'~",
  inv2543: 'INVITE',
  invut: 'INVITE',
  longreq: 'INVITE',
  ltgtruri: [400, 'Request-URI', true],
  lwsdisp: 'OPTIONS',
  lwsruri: [400, 'Request-URI', true],
  lwsstart: [400, 'Request-URI', true],
  mcl01: [400, 'Content-Length', true],
  mismatch01: [400, 'CSeq', true],
  mismatch02: [400, 'CSeq', true],
  mpart01: 'MESSAGE',
  multi01: [400, 'Call-ID', true],
  ncl: [400, 'Content-Length', true],
  noreason: '100',
  novelsc: 'OPTIONS',
  quotbal: [400, 'To', true],
  regaut01: 'REGISTER',
  regbadct: 'REGISTER',
  regescrt: 'REGISTER',
  scalar02: [400, 'CSeq', true],
  scalarlg: [400, 'CSeq', false],
  sdp01: 'INVITE',
  semiuri: 'OPTIONS',
  transports: 'OPTIONS',
  trws: [400, 'start line', true],
  unkscm: 'OPTIONS',
  unksm2: 'REGISTER',
  unreason: '200',
  wsinv: 'INVITE',
  zeromf: 'OPTIONS',
};

test('all 49 messages of RFC 4475, and no other', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.dat'));
  assert.deepEqual(files.map((file) => file.slice(0, -4)).sort(), Object.keys(torture).sort());
  for (const [name, expected] of Object.entries(torture)) {
    const result = parseMessage(readFileSync(new URL(`${name}.dat`, folder)));
    if (typeof expected === 'string') {
      assert.ok(result.ok, name);
      const { message } = result;
      assert.equal(message.kind === 'request' ? message.method : String(message.status), expected, name);
    } else {
      assert.ok(!result.ok, name);
      const { status, where, request } = result.failure;
      assert.deepEqual([status, where, request !== undefined], expected, name);
    }
  }
});

function torn(name: string): SipMessage {
  const result = parseMessage(readFileSync(new URL(`${name}.dat`, folder)));
  assert.ok(result.ok);
  return result.message;
}

test('wsinv: folding, white space, compact forms and several values', () => {
  const message = torn('wsinv');
  assert.equal(message.cseq.sequence, 9);
  assert.equal(message.from.displayName, 'J Rosenberg \\"');
  assert.equal(message.from.parameters.get('tag'), '98asjd8');
  assert.equal(message.to.parameters.get('tag'), '1918181833n');
  assert.deepEqual([message.via.transport, message.via.host], ['UDP', '192.0.2.2']);
  assert.equal(message.via.parameters.get('branch'), '390skdjuw');
  assert.equal(headerValues(message, 'via').length, 3);
  assert.equal(headerValue(message, 'subject'), '');
  assert.equal(headerValue(message, 'newfangledheader'), 'newfangled value continued newfangled value');
  assert.equal(message.body.length, 150);
});

test('names stay as they are written, usual ones or not, whatever their letters', () => {
  const names = [
    'Via',
    'VIA',
    'v',
    'V',
    'CSeq',
    'Cseq',
    'User-Agent',
    'user-agent',
    'X-Account',
    'x',
    'toString',
  ];
  const extra = names.slice(6).map((name) => `${name}: 1`);
  const result = parseMessage(Buffer.from(requestText('MESSAGE', 5060, { extra })));
  assert.ok(result.ok);
  const { headers } = result.message;
  for (const name of names.slice(6))
    assert.ok(
      headers.some((header) => header.name === name),
      name,
    );
  for (const name of names) {
    const usual = usualHeader(name);
    if (usual) assert.deepEqual(usual, { name, key: headerKey(name) });
  }
  assert.deepEqual(
    names.filter((name) => usualHeader(name)),
    ['Via', 'v', 'CSeq', 'User-Agent', 'x'],
  );
});

test('surplus bytes of a datagram are cut off; without a length all of it is the body', () => {
  const text = requestText('MESSAGE', 5060, { body: 'hello' });
  const surplus = parseMessage(Buffer.from(`${text}, world`));
  assert.ok(surplus.ok);
  assert.equal(bodyText(surplus.message), 'hello');
  const without = parseMessage(Buffer.from(text.replace(/Content-Length.*\r\n/, '')));
  assert.ok(without.ok);
  assert.equal(bodyText(without.message), 'hello');
});

const base = requestText('OPTIONS', 5060, {});

const refusals: [what: string, text: string, status: number, where: string][] = [
  ['no length on a stream', base.replace(/Content-Length.*\r\n/, ''), 400, 'Content-Length'],
  ['no end of the headers', base.slice(0, -4), 400, 'message'],
  ['a header without a colon', base.replace('Call-ID:', 'Nonsense\r\nCall-ID:'), 400, 'message'],
  ['a bare line feed', base.replace('Call-ID: ', 'X: a\nEvil: b\r\nCall-ID: '), 400, 'message'],
  ['a bare carriage return', base.replace('Call-ID: ', 'X: a\rEvil: b\r\nCall-ID: '), 400, 'message'],
  ['a host with a space', base.replace('@127.0.0.1 SIP', '@127.0 .0.1 SIP'), 400, 'Request-URI'],
  ['a URI too long', base.replace('OPTIONS sip:', `OPTIONS sip:${'a'.repeat(9000)}`), 414, 'start line'],
  ['a port out of range', base.replace('@127.0.0.1 SIP', '@127.0.0.1:70000 SIP'), 400, 'Request-URI'],
  ['a CSeq of 2^31', base.replace('CSeq: 1 ', 'CSeq: 2147483648 '), 400, 'CSeq'],
  ['two From headers', base.replace('Call-ID:', 'f: <sip:x@y>\r\nCall-ID:'), 400, 'From'],
  ['a line too long', base.replace('Call-ID:', `X: ${'a'.repeat(9000)}\r\nCall-ID:`), 400, 'message'],
  [
    'a fold too long',
    base.replace('Call-ID:', `X: a${`\r\n ${'b'.repeat(4000)}`.repeat(3)}\r\nCall-ID:`),
    400,
    'message',
  ],
  [
    'too many headers',
    base.replace('Content-Length', `${'X: a\r\n'.repeat(300)}Content-Length`),
    400,
    'message',
  ],
];

for (const [what, text, status, where] of refusals) {
  test(`${what}: ${status}, answerable`, () => {
    const result = parseMessage(Buffer.from(text), 'stream');
    assert.ok(!result.ok);
    const { failure } = result;
    assert.deepEqual([failure.status, failure.where], [status, where]);
    assert.equal(failure.request?.via.host, '127.0.0.1');
  });
}

test('an ACK is never answerable, nor is what is too large to be read', () => {
  const failures: ParseFailure[] = [];
  for (const text of [
    base.replaceAll('OPTIONS', 'ACK').replace('CSeq: 1', 'CSeq: x'),
    'x'.repeat(70_000),
    '',
    '\r\n',
  ]) {
    const result = parseMessage(Buffer.from(text));
    if (!result.ok) failures.push(result.failure);
  }
  assert.deepEqual(
    failures.map(({ status, request }) => [status, request]),
    [
      [400, undefined],
      [513, undefined],
      [400, undefined],
      [400, undefined],
    ],
  );
});

test('every message cut anywhere, or with any byte changed, is read or refused, never thrown at', () => {
  const text = readFileSync(new URL('wsinv.dat', folder));
  for (let length = 0; length < text.length; length++) parseMessage(text.subarray(0, length), 'stream');
  const outcomes = new Set<boolean>();
  for (let at = 0; at < text.length; at++)
    for (const value of [0, 10, 13, 32, 34, 44, 58, 59, 60, 255]) {
      const changed = Buffer.from(text);
      changed[at] = value;
      outcomes.add(parseMessage(changed).ok);
    }
  assert.deepEqual([...outcomes].sort(), [false, true]);
  assert.ok(text.length < parserLimits.messageBytes);
});
