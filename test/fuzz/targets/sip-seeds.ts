/** Messages as phones, trunks and recorders send them; `\n` stands for CRLF. */
const texts = [
  `INVITE sip:100@127.0.0.1:5060;transport=udp SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK74bf9;rport, SIP/2.0/TCP [2001:db8::9]:5061;branch=z9hG4bKa;received=192.0.2.9
Max-Forwards: 70
From: "Bob \\"B\\" Smith" <sip:bob@example.com;user=phone>;tag=9fxced76sl;verstat=TN-Validation-Passed
To: <sip:100@127.0.0.1>
Call-ID: 3848276298220188511@example.com
CSeq: 1 INVITE
Contact: <sip:bob@192.0.2.1;transport=udp>;+sip.instance="<urn:uuid:1>";expires=3600
Record-Route: <sip:p1.example.com;lr>, <sip:[2001:db8::1]:5070;lr>
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK
Supported: timer, 100rel, replaces
Session-Expires: 1800;refresher=uac
Min-SE: 90
P-Asserted-Identity: "Bob" <sip:+15551234;phone-context=example.com@example.com>, <tel:+15551234;verstat=TN-Validation-Passed>
Remote-Party-ID: "Bob" <sip:bob@example.com>;party=calling;screen=yes;privacy=off
Privacy: id;critical
Diversion: <sip:200@example.com>;reason=no-answer;counter=2
History-Info: <sip:300@example.com?Reason=SIP%3Bcause%3D302>;index=1, <sip:100@example.com;cause=486>;index=1.1
Identity: eyJhbGciOiJFUzI1NiJ9..sig;info=<https://cert.example.org/p.cer>;alg=ES256;ppt=shaken
Content-Type: multipart/mixed;boundary="b1"
Content-Length: 242

--b1
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
m=audio 4000 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000

--b1
Content-Type: application/rs-metadata+xml
Content-Disposition: recording-session

<recording/>
--b1--
`,
  `REFER sip:100@127.0.0.1 SIP/2.0
v: SIP / 2.0 / TLS [2001:db8::1]:5061 ;branch=z9hG4bK-1; rport
f: sip:alice@example.com;tag=a1
t: <sip:100@127.0.0.1>;tag=b2
i: c1
CSeq: 2 REFER
r: <sip:carol@example.com;method=INVITE?Replaces=c2%40example.com%3Bto-tag%3Dx%3Bfrom-tag%3Dy%3Bearly-only&Accept=a>
b: <sip:alice@example.com>
Refer-Sub: false
Replaces: c2;to-tag=x;from-tag=y
l: 0

`,
  `NOTIFY sip:100@127.0.0.1 SIP/2.0
Via: SIP/2.0/TCP 127.0.0.1:5062;branch=z9hG4bKn;alias
From: <sip:carol@example.com>;tag=1
To: <sip:100@127.0.0.1>;tag=2
Call-ID: n1
CSeq: 1 NOTIFY
Event: refer;id=2
Subscription-State: terminated;reason=noresource
Content-Type: message/sipfrag;version=2.0
Content-Length: 16

SIP/2.0 200 OK
`,
  `SIP/2.0 422 Session Interval Too Small
Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1;received=127.0.0.1;rport=5060
From: <sip:a@127.0.0.1>;tag=1
To: "A, B" <sip:b@127.0.0.1>;tag=2
Call-ID: r1
CSeq: 1 INVITE
Min-SE: 120
Require: timer, 100rel
RSeq: 1
Reason: Q.850;cause=16;text="Terminated"
Content-Length: 0

`,
  `INFO sip:100@127.0.0.1 SIP/2.0
Via: SIP/2.0/TLS phone.example.com;branch=z9hG4bKi
From: <tel:+15551234;phone-context=example.com>;tag=1
To: sip:100@127.0.0.1;tag=2
Call-ID: i1
CSeq: 3 INFO
Content-Type: application/dtmf-relay
Content-Length: 22

Signal=5
Duration=160
`,
  `INFO sip:100@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKj
From: <tel:+15551234>;tag=1
To: <sip:100@127.0.0.1>;tag=2
Call-ID: i2
CSeq: 4 INFO
Content-Type: application/dtmf

11`,
  `SIP/2.0 200 OK
Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1
From: <sip:a@127.0.0.1>;tag=1
To: <sip:b@127.0.0.1>;tag=2
Call-ID: r2
CSeq: 1 INVITE
Session-Expires: 600;refresher=uas
Content-Length: 0

`,
  `REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK2;maddr=224.0.0.1;ttl=1
From: sip:alice@example.com;tag=1
To: sip:alice@example.com
Call-ID: g1
CSeq: 4294967295 REGISTER
Contact: *
Path: <sip:edge.example.com;lr;ob>
Expires: 0
Authorization: Digest username="alice", realm="callreel", nonce="1.2.3", uri="sip:example.com", response="0", algorithm=MD5, qop=auth, nc=00000001, cnonce="x"
Content-Length: 0

`,
];

export const sipSeeds: readonly Uint8Array[] = texts.map((text) =>
  Buffer.from(text.replaceAll('\n', '\r\n')),
);

export const sipWords: readonly string[] = [
  ...['INVITE', 'ACK', 'BYE', 'CANCEL', 'REGISTER', 'OPTIONS', 'PRACK', 'UPDATE', 'REFER', 'NOTIFY', 'INFO'],
  ...[
    'SIP/2.0',
    'SIP/2.0 200 OK',
    'sip:',
    'sips:',
    'tel:',
    'urn:service:sos',
    '\r\n\r\n',
    '\r\n ',
    '%00',
    '%ff',
  ],
  ...['Via: ', 'From: ', 'To: ', 'Call-ID: ', 'CSeq: 1 ', 'Contact: ', 'Route: ', 'Record-Route: '],
  ...[
    'Content-Length: ',
    'Content-Type: ',
    'l: ',
    'v: ',
    'c: ',
    'Require: ',
    'Supported: 100rel',
    'Replaces: ',
  ],
  ...[
    'History-Info: <sip:a@b?reason=',
    'reason=',
    'cause=',
    'Diversion: ',
    'Privacy: ',
    'Identity: ',
    'RAck: 1 1 ',
  ],
  ...[
    ';tag=',
    ';branch=z9hG4bK',
    ';rport',
    ';received=',
    ';lr',
    ';transport=tcp',
    ';maddr=',
    ';method=',
    ';q=0.5',
  ],
  ...['"', '\\"', '<', '>', '<sip:', '@', '[::1]', '[::ffff:127.0.0.1]', '127.0.0.1', 'anonymous.invalid'],
  ...[
    'application/sdp',
    'multipart/mixed;boundary=',
    'message/sipfrag',
    '--b1',
    '--b1--',
    '\u2028',
    '\u00a0',
  ],
  ...[
    'Session-Expires: ',
    'Min-SE: ',
    'Max-Forwards: ',
    'Expires: ',
    'Event: refer',
    '__proto__',
    'constructor',
  ],
];
