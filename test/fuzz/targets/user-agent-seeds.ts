/**
 * What a peer does, one step behind the other, parted by 0x1e. The first letter says what: `U` a datagram, `T` bytes of
 * a TCP connection, `A` so many milliseconds pass, `C` we call the peer, `K` we register with it, `H` we change a call,
 * `P` we ask whether the peer is there, `F` we transfer it, `E` we end all calls. `{...}` becomes what the conversation
 * so far has.
 */
const head = (
  method: string,
  cseq: number,
  to = '<sip:answer@127.0.0.1>;tag={tag}',
) => `${method} sip:answer@127.0.0.1:{ua} SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{branch};rport
Max-Forwards: 70
From: "A" <sip:alice@127.0.0.1>;tag=a1
To: ${to}
Call-ID: {call}
CSeq: ${cseq} ${method}
Contact: <sip:alice@127.0.0.1:{port}>
`;

const sdp = `v=0
o=- 1 {branch} IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 40000 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
`;

const withSdp = (text: string) => `${text}Content-Type: application/sdp\n\n${sdp}`;
const empty = (text: string) => `${text}Content-Length: 0\n\n`;
const invite = (more = '', user = 'answer') =>
  withSdp(`${head('INVITE', 1, `<sip:${user}@127.0.0.1>`).replace('sip:answer', `sip:${user}`)}${more}`);

const answerHead = (status: string) => `SIP/2.0 ${status}
Via: {via}
From: {from}
To: {to};tag=peer
Call-ID: {callid}
CSeq: {cseq}
Contact: <sip:bob@127.0.0.1:{port}>
`;

const scripts: string[][] = [
  [
    `U${invite('Supported: 100rel, timer\n')}`,
    `U${empty(head('ACK', 1))}`,
    'A100',
    `U${empty(head('BYE', 2))}`,
  ],
  [
    `U${invite('', 'ring')}`,
    'A500',
    `U${empty(head('CANCEL', 1, '<sip:ring@127.0.0.1>').replaceAll('{branch}', '{first}'))}`,
    'A5000',
  ],
  [
    `U${invite('Allow: UPDATE, INVITE\n')}`,
    `U${empty(head('ACK', 1))}`,
    `U${withSdp(head('INVITE', 2)).replace('m=audio', 'a=sendonly\nm=audio')}`,
    `U${empty(head('ACK', 2))}`,
    `U${withSdp(head('UPDATE', 3))}`,
    `U${head('INFO', 4)}Content-Type: application/dtmf-relay\n\nSignal=5\nDuration=160\n`,
    `U${empty(`${head('REFER', 5)}Refer-To: <sip:carol@127.0.0.1:{port}>\n`)}`,
    `U${empty(head('OPTIONS', 6))}`,
    'A2000',
    'E',
    `U${empty(answerHead('200 OK'))}`,
  ],
  [
    `U${invite('Require: 100rel\n', 'early')}`,
    'A100',
    `U${empty(`${head('PRACK', 2)}RAck: {rseq} 1 INVITE\n`)}`,
    'A700',
    'A40000',
  ],
  [
    `U${empty(`${head('REGISTER', 1, '<sip:alice@127.0.0.1>')}Expires: 60\n`)}`,
    `U${empty(`${head('REGISTER', 2, '<sip:alice@127.0.0.1>')}Authorization: {authorization}\n`)}`,
    `U${empty(`${head('REGISTER', 3, '<sip:alice@127.0.0.1>').replace(/Contact: .*/, 'Contact: *')}Expires: 0\nAuthorization: {authorization}\n`)}`,
  ],
  [
    'K',
    `U${empty(`${answerHead('401 Unauthorized')}WWW-Authenticate: Digest realm="x", nonce="n", qop="auth"\n`)}`,
    `U${empty(`${answerHead('200 OK')}Contact: <sip:us@127.0.0.1:{ua}>;expires=60\nService-Route: <sip:127.0.0.1:{port};lr>\n`)}`,
  ],
  [
    `U${invite()}`,
    `U${empty(head('ACK', 1))}`,
    `U${invite('Replaces: {call};to-tag={tag};from-tag=a1\n', 'reject').replaceAll('{call}\n', '{call}b\n')}`,
    'A1000',
  ],
  [
    `T${invite('').replace('SIP/2.0/UDP', 'SIP/2.0/TCP').replace('\n\nv=0', '\nContent-Length: 161\n\nv=0')}`,
    'T\n\n\n\n',
    `T${empty(head('OPTIONS', 1, '<sip:answer@127.0.0.1>')).replace('UDP', 'TCP')}`,
    'A1000',
  ],
  [
    'C',
    `U${empty(answerHead('100 Trying'))}`,
    `U${withSdp(answerHead('183 Session Progress'))}`,
    `U${withSdp(answerHead('200 OK'))}`,
    'A600',
    'H',
    `U${withSdp(answerHead('200 OK'))}`,
    'P',
    `U${empty(answerHead('200 OK'))}`,
    'E',
  ],
  [
    'C',
    `U${empty(`${answerHead('180 Ringing')}Require: 100rel\nRSeq: 7\n`)}`,
    `U${empty(answerHead('200 OK'))}`,
    'E',
    'A1000',
    `U${empty(answerHead('487 Request Terminated'))}`,
  ],
  [
    'C',
    `U${empty(answerHead('180 Ringing'))}`,
    `U${empty(answerHead('488 Not Acceptable Here'))}`,
    `U${withSdp(answerHead('200 OK'))}`,
    'E',
    `U${empty(answerHead('200 OK'))}`,
  ],
  [
    'C',
    'U' +
      empty(
        answerHead('407 Proxy Authentication Required') +
          'Proxy-Authenticate: Digest realm="x", nonce="n", qop="auth", algorithm=MD5\n',
      ),
    'A100',
    'U' +
      empty(`${answerHead('302 Moved')}Contact: <sip:c@127.0.0.1:{port}>;q=0.5, <sip:d@127.0.0.1:{port}>\n`),
  ],
  [
    'C',
    'U' +
      withSdp(
        `${answerHead('200 OK')}Record-Route: <sip:127.0.0.1:{port};lr>\nSession-Expires: 90;refresher=uac\n`,
      ),
    'F',
    `U${empty(answerHead('202 Accepted'))}`,
    'U' +
      `NOTIFY sip:x@127.0.0.1:{ua} SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKn{branch}\nFrom: {to};tag=peer\nTo: {from}\nCall-ID: {callid}\nCSeq: 9 NOTIFY\nEvent: refer\nSubscription-State: terminated\nContent-Type: message/sipfrag\n\nSIP/2.0 200 OK\n`,
    'A90000',
    'A90000',
  ],
];

export const userAgentSeeds: readonly Uint8Array[] = scripts.map((steps) =>
  Buffer.from(steps.map((step) => step.replaceAll('\n', '\r\n')).join('\x1e')),
);

export const userAgentWords: readonly string[] = [
  ...['\x1eA500', '\x1eA32000', '\x1eA90000', '\x1eC', '\x1eE', '\x1eH', '\x1eP', '\x1eF', '\x1eU', '\x1eT'],
  ...[
    '{tag}',
    '{branch}',
    '{first}',
    '{call}',
    '{via}',
    '{from}',
    '{to}',
    '{callid}',
    '{cseq}',
    '{rseq}',
    '{port}',
  ],
  ...[
    'Authorization: {authorization}\r\n',
    'Contact: *\r\n',
    'Expires: 0\r\n',
    'Path: <sip:p;lr>\r\n',
    '\x1eK',
  ],
  ...[
    'sip:ring@',
    'sip:early@',
    'sip:reject@',
    'sip:answer@',
    'Replaces: {call};to-tag={tag};from-tag=a1\r\n',
  ],
  ...[
    '180 Ringing',
    '183 Session Progress',
    '200 OK',
    '401 Unauthorized',
    '422 Small',
    '488 No',
    '491 Pending',
    '503 No',
  ],
  ...[
    'Min-SE: 200\r\n',
    'RSeq: 8\r\n',
    'Require: 100rel\r\n',
    'Session-Expires: 90\r\n',
    'Retry-After: 0\r\n',
  ],
];
