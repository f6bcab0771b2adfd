import assert from 'node:assert/strict';
import { test } from 'node:test';
import { negotiatedRtcp, wantsRtcpMux } from './rtcp-attributes.ts';
import { parseSessionDescription } from './session-description.ts';

for (const [name, port, lines, mux, expected] of [
  ['one port above RTP', 4000, [], false, { address: '192.0.2.1', port: 4001 }],
  ['with RTP', 4000, ['a=rtcp:4077'], true, { address: '192.0.2.1', port: 4000 }],
  ['another port', 4000, ['a=rtcp:4077'], false, { address: '192.0.2.1', port: 4077 }],
  ['another host', 4000, ['a=rtcp:4077 IN IP6 2001:db8::5'], false, { address: '2001:db8::5', port: 4077 }],
  [
    'a host by its name',
    4000,
    ['a=rtcp:4077 IN IP4 host.example'],
    false,
    { address: '192.0.2.1', port: 4077 },
  ],
  [
    'a host that is many',
    4000,
    ['a=rtcp:4077 IN IP4 224.0.0.1'],
    false,
    { address: '192.0.2.1', port: 4077 },
  ],
  [
    'a host that is nowhere',
    4000,
    ['a=rtcp:4077 IN IP4 0.0.0.0'],
    false,
    { address: '192.0.2.1', port: 4077 },
  ],
  ['a=rtcp of nothing', 4000, ['a=rtcp:x'], false, { address: '192.0.2.1', port: 4001 }],
  ['no port above', 65_535, [], false, undefined],
  ['a port too large', 4000, ['a=rtcp:65536'], false, undefined],
  ['nowhere to send to', 4000, ['c=IN IP4 0.0.0.0'], true, undefined],
] as const)
  test(name, () => {
    const session = parseSessionDescription(
      ['v=0', 'c=IN IP4 192.0.2.1', `m=audio ${port} RTP/AVP 0`, ...lines].join('\n'),
    );
    const rtcp = negotiatedRtcp(session, session.media[0]!, mux);
    assert.deepEqual(rtcp, expected ? { mux, remote: expected } : { mux });
  });

test('rtcp-mux is an attribute of the stream', () => {
  const { media } = parseSessionDescription('v=0\nm=audio 1 RTP/AVP 0\na=rtcp-mux\nm=audio 2 RTP/AVP 0');
  assert.deepEqual(media.map(wantsRtcpMux), [true, false]);
});
