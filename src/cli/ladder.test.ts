import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallReport, LegReport, MessageReport } from './call-report.ts';
import { drawLadder } from './ladder.ts';

const startedAt = '2026-11-21T11:55:27.000Z';

function leg(
  name: string,
  direction = 'outgoing',
  seen: { port: number; at_ms: number } | null = null,
): LegReport {
  return {
    connection_id: name,
    from: direction === 'incoming' ? name : '1000',
    to: direction === 'incoming' ? '1000' : name,
    direction,
    status: 'finished',
    start_time: startedAt,
    end_reason: null,
    recorded: [],
    media: {
      no_media: null,
      one_way: null,
      srtp: null,
      seen: seen && { address: '192.0.2.10', ...seen },
      agreed: [],
      report: null,
    },
  };
}

function message(
  at_ms: number,
  way: `${string} ${'>' | '<'}`,
  what: string,
  { sdp = '', again = false, port = 5060 } = {},
): MessageReport {
  const [connection_id = '', arrow] = way.split(' ');
  const response = /^(\d{3}) (.*) (\S+)$/.exec(what);
  return {
    connection_id,
    at: new Date(Date.parse(startedAt) + at_ms).toISOString(),
    at_ms,
    direction: arrow === '>' ? 'received' : 'sent',
    transport: port === 5061 ? 'tls' : 'udp',
    local: { address: '192.0.2.1', port: 5060 },
    remote: { address: '192.0.2.10', port },
    method: response?.[3] ?? what,
    status: response ? Number(response[1]) : null,
    reason: response?.[2] ?? null,
    retransmission: again,
    text: `X\r\n\r\n${sdp}`,
    left_off: 0,
  };
}

const offer =
  'v=0\r\nc=IN IP4 192.0.2.10\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n' +
  'm=video 0 RTP/AVP 31\r\n';
const hold =
  'v=0\r\nc=IN IP4 192.0.2.10\r\nm=audio 4000 RTP/SAVP 0\r\na=sendonly\r\na=crypto:1 X inline:[redacted]\r\n';

function call(legs: LegReport[], messages: MessageReport[]): CallReport {
  const { from, to, direction } = legs[0]!;
  const start = { start_time: startedAt, end_time: null, end_reason: null };
  return {
    call_id: 'c',
    from,
    to,
    direction,
    status: 'finished',
    ...start,
    legs,
    messages,
    messages_dropped: 0,
  };
}

const refused = call(
  [leg('+15550001', 'incoming')],
  [
    message(0, '+15550001 >', 'INVITE', { sdp: offer }),
    message(1.4, '+15550001 <', '100 Trying INVITE'),
    message(500, '+15550001 >', 'INVITE', { sdp: offer, again: true }),
    message(507.25, '+15550001 <', '488 A reason that is much too long to stand on an arrow INVITE'),
    message(61_009, '+15550001 >', 'ACK'),
  ],
);

const connected = call(
  [leg('+15550001', 'incoming', { port: 4000, at_ms: 35 }), leg('+4930123456')],
  [
    message(0, '+15550001 >', 'INVITE', { sdp: offer }),
    message(10, '+4930123456 <', 'INVITE', { sdp: offer, port: 5061 }),
    message(20, '+4930123456 >', '200 OK INVITE', { sdp: offer }),
    message(21, '+4930123456 <', 'ACK'),
    message(30, '+15550001 <', '200 OK INVITE', { sdp: offer }),
    message(900, '+15550001 >', 'INVITE', { sdp: hold }),
  ],
);

const forked = call(
  [leg('a', 'incoming'), leg('b'), leg('c'), leg('d')],
  [
    message(0, 'a >', 'INVITE'),
    message(1, 'b <', 'INVITE'),
    message(2, 'c <', 'INVITE'),
    message(3, 'd <', 'INVITE'),
    message(4, 'd >', '486 Busy Here INVITE'),
  ],
);

const goldens: [name: string, report: CallReport, sdp: boolean, ladder: string][] = [
  [
    'a refused call',
    refused,
    false,
    `
                  +15550001                                   Callreel
               192.0.2.10:5060                             192.0.2.1:5060
                     udp
   0.000              |-------------- INVITE (sdp) -------------->|
   0.001              |<---------- 100 Trying (INVITE) -----------|
   0.500              |........... INVITE (sdp, again) ..........>|
   0.507              |< 488 A reason that is much too long to ~ -|
  61.009              |------------------- ACK ------------------>|
`,
  ],
  [
    'two parties, with their descriptions',
    connected,
    true,
    `
                  +15550001                             Callreel                             +4930123456
               192.0.2.10:5060                       192.0.2.1:5060                        192.0.2.10:5061
                     udp                                                                         tls
   0.000              |----------- INVITE (sdp) ----------->|                                     |
            audio 192.0.2.10:4000 RTP/AVP PCMU/8000 PCMA/8000 telephone-event/8000 sendrecv ptime 20
            video refused
   0.010              |                                     |----------- INVITE (sdp) ----------->|
            audio 192.0.2.10:4000 RTP/AVP PCMU/8000 PCMA/8000 telephone-event/8000 sendrecv ptime 20
            video refused
   0.020              |                                     |<------ 200 OK (INVITE, sdp) --------|
            audio 192.0.2.10:4000 RTP/AVP PCMU/8000 PCMA/8000 telephone-event/8000 sendrecv ptime 20
            video refused
   0.021              |                                     |---------------- ACK --------------->|
   0.030              |<------ 200 OK (INVITE, sdp) --------|                                     |
            audio 192.0.2.10:4000 RTP/AVP PCMU/8000 PCMA/8000 telephone-event/8000 sendrecv ptime 20
            video refused
   0.035              |==== media from 192.0.2.10:4000 ====>|                                     |
   0.900              |------- INVITE (sdp sendonly) ------>|                                     |
            audio 192.0.2.10:4000 RTP/SAVP PCMU/8000 sendonly SRTP
`,
  ],
  [
    'arrows to parties further off pass over the others',
    forked,
    false,
    `
                      a              Callreel               b                  c                  d
               192.0.2.10:5060    192.0.2.1:5060     192.0.2.10:5060    192.0.2.10:5060    192.0.2.10:5060
                     udp                                   udp                udp                udp
   0.000              |----- INVITE ---->|                  |                  |                  |
   0.001              |                  |----- INVITE ---->|                  |                  |
   0.002              |                  |-------------- INVITE -------------->|                  |
   0.003              |                  |------------------------ INVITE ----------------------->|
   0.004              |                  |<--------------- 486 Busy Here (INVITE) ----------------|
`,
  ],
];

for (const [name, report, sdp, ladder] of goldens)
  test(`golden ladder: ${name}`, () => {
    const lines = drawLadder(report, { sdp });
    assert.equal(`\n${lines.join('\n')}\n`, ladder);
    assert.ok(lines.every(({ length }) => length <= 110));
  });

test('a description that is longer than a line goes on in the next', () => {
  const formats = Array.from({ length: 20 }, (_, k) => 96 + k);
  const maps = formats.map((payloadType) => `a=rtpmap:${payloadType} CODEC${payloadType}/48000\r\n`).join('');
  const sdp = `v=0\r\nc=IN IP6 2001:db8::1\r\nm=audio 4000 RTP/AVP ${formats.join(' ')}\r\n${maps}`;
  const lines = drawLadder(call([leg('a', 'incoming')], [message(0, 'a >', 'INVITE', { sdp })]), {
    sdp: true,
  });
  assert.ok(lines.length > 6);
  assert.ok(lines.every(({ length }) => length <= 110));
  assert.match(lines[5]!, /^ {14}CODEC\d+/);
});

test('what peers write does not drive the terminal', () => {
  const report = call(
    [leg('\u001b[2Jx', 'incoming')],
    [message(0, '\u001b[2Jx >', '200 \u001b[31mOK INVITE')],
  );
  assert.ok(!drawLadder(report, { sdp: true }).join('').includes('\u001b'));
});

test('a call without any message kept has empty columns', () => {
  assert.match(drawLadder(call([leg('a', 'incoming')], []), { sdp: false }).join('\n'), /^ +a +Callreel$/m);
});
