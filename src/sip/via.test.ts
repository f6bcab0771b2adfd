import assert from 'node:assert/strict';
import { test } from 'node:test';
import { responseEndpoint } from './transport.ts';
import { formatVia, parseVia, stampVia, type Via } from './via.ts';

function via(text: string): Via {
  const parsed = parseVia(text);
  assert.ok(parsed, text);
  return parsed;
}

test('read and written', () => {
  const text = 'SIP/2.0/TCP [2001:db8::9]:5070;branch=z9hG4bK1;rport';
  assert.equal(formatVia(via(' SIP / 2.0 / tcp   [2001:DB8::9] : 5070 ; branch = z9hG4bK1 ;rport')), text);
});

for (const text of [
  '',
  'SIP/2.0',
  'SIP/2.0/UDP',
  'SIP/2.0/UDP a b',
  'HTTP/2.0/UDP a',
  'SIP/2.0/UDP a;;',
  'SIP/2.0/UDP -a',
])
  test(`no Via: ${text}`, () => assert.equal(parseVia(text), undefined));

test('received and rport, and where the response goes', () => {
  const source = { transport: 'udp' as const, address: '203.0.113.9', port: 4000 };
  const cases: [text: string, stamped: string, port: number][] = [
    ['SIP/2.0/UDP 203.0.113.9;branch=b', 'SIP/2.0/UDP 203.0.113.9;branch=b', 5060],
    ['SIP/2.0/UDP 10.0.0.1:5070;branch=b', 'SIP/2.0/UDP 10.0.0.1:5070;branch=b;received=203.0.113.9', 5070],
    ['SIP/2.0/UDP 203.0.113.9;rport', 'SIP/2.0/UDP 203.0.113.9;rport=4000;received=203.0.113.9', 4000],
    [
      'SIP/2.0/UDP 10.0.0.1;maddr=198.51.100.1',
      'SIP/2.0/UDP 10.0.0.1;maddr=198.51.100.1;received=203.0.113.9',
      5060,
    ],
  ];
  for (const [text, stamped, port] of cases) {
    const result = stampVia(via(text), source.address, source.port);
    assert.equal(formatVia(result), stamped);
    assert.deepEqual(responseEndpoint(source, result), { ...source, port });
  }
});
