/** Descriptions as vendors write them; `\n` stands for CRLF. */
export const sdpSeeds: readonly string[] = [
  `v=0
o=- 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
m=audio 4000 RTP/AVP 111 9 8 0 13 101 100
a=rtpmap:111 opus/48000/2
a=fmtp:111 useinbandfec=1;usedtx=1;maxplaybackrate=16000;maxaveragebitrate=20000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtpmap:100 telephone-event/48000
a=rtpmap:13 CN/8000
a=ptime:20
a=maxptime:60
a=rtcp:4001 IN IP4 192.0.2.1
a=rtcp-mux
a=sendrecv
`,
  `v=0
o=alice 2890844526 2890844527 IN IP6 2001:db8::1
s=call
c=IN IP6 2001:db8::1/127
t=0 0
a=sendonly
m=video 0 RTP/AVP 96
m=audio 5004/2 RTP/SAVP 0 8
c=IN IP4 0.0.0.0
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 FEC_ORDER=FEC_SRTP
a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20|1:32;inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31|2:32 WSH=64
a=crypto:4 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4;inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|1048576|2:4 -UNKNOWN
a=crypto:3 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==
a=inactive
m=image 6000 udptl t38
`,
  `v=0
o=x 1 2 IN IP4 10.0.0.1
s=-
c=IN IP4 10.0.0.1
t=0 0
m=audio 7000 UDP/TLS/RTP/SAVPF 0
a=fingerprint:sha-256 00
m=audio 7002 RTP/AVPF 0 96 97
a=rtpmap:0 PCMU/8000/1
a=rtpmap:96 G722/16000
a=rtpmap:97 telephone-event/8000
a=ptime:30
a=recvonly
`,
];

/** A key again, with another one of the same length. */
export const otherKey = (text: string): string => text.replace(/inline:A/, 'inline:B');

/** As a phone disables every stream. */
export const disabled = (text: string): string =>
  text.replaceAll(/^(m=\S+[ \t]+)\d+/gm, (_whole, before: string) => `${before}0`);

export const sdpWords: readonly string[] = [
  ...[
    'v=0\r\n',
    'm=audio 4000 RTP/AVP 0\r\n',
    'm=',
    'c=IN IP4 ',
    'c=IN IP6 ::1\r\n',
    'a=',
    'a=rtpmap:',
    'a=fmtp:',
  ],
  ...[
    'RTP/AVP',
    'RTP/SAVP',
    'RTP/AVPF',
    'UDP/TLS/RTP/SAVPF',
    'a=crypto:1 ',
    'AES_CM_128_HMAC_SHA1_80 inline:',
  ],
  ...[
    'AEAD_AES_128_GCM',
    'UNENCRYPTED_SRTP',
    'WSH=64',
    '|2^48',
    '|1:4',
    'a=rtcp:',
    'a=rtcp:9 IN IP4 224.0.0.1\r\n',
  ],
  ...[
    'a=rtcp-mux\r\n',
    'a=sendonly\r\n',
    'a=inactive\r\n',
    'a=ptime:',
    'a=maxptime:',
    'telephone-event/0',
    'CN/0',
  ],
  ...[
    'opus/48000/2',
    'PCMU/8000',
    'PCMA/16000',
    'G722/8000',
    'telephone-event/48000',
    'CN/16000',
    '/0',
    '/9999999',
  ],
  ...[
    '0.0.0.0',
    '224.0.0.1',
    '::',
    'ff02::1',
    '::ffff:0.0.0.0',
    '::ffff:224.0.0.1',
    '255.255.255.255',
    '\u2028',
  ],
  ...[
    'useinbandfec=1',
    'maxplaybackrate=',
    'maxaveragebitrate=',
    '65535',
    '65536',
    '127',
    '128',
    '-1',
    'NaN',
    '1e999',
  ],
];
