import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import { MediaNegotiator } from './media-negotiator.ts';
import { createOffer } from './offer-answer.ts';
import { parseSessionDescription } from './session-description.ts';

const options = {
  address: '198.51.100.9',
  port: 20_000,
  codecs: ['PCMU', 'PCMA'],
  telephoneEvents: true,
} as const;

function peerOffer(direction: 'sendrecv' | 'sendonly'): string {
  return createOffer({ ...options, address: '192.0.2.1', port: 4000, sessionId: '5', version: 1, direction });
}

const versionOf = (sdp: string): string => parseSessionDescription(sdp).origin.version;

test('the version counts up exactly when the description changes, the session id stays', () => {
  const negotiator = new MediaNegotiator(options);
  const first = negotiator.answer(peerOffer('sendrecv')).answer;
  const repeated = negotiator.answer(peerOffer('sendrecv')).answer;
  const held = negotiator.answer(peerOffer('sendonly'));
  const heldAgain = negotiator.answer(peerOffer('sendonly')).answer;
  const resumed = negotiator.answer(peerOffer('sendrecv')).answer;
  assert.equal(repeated, first);
  assert.equal(heldAgain, held.answer);
  assert.equal(held.negotiated.direction, 'recvonly');
  assert.deepEqual([first, held.answer, resumed].map(versionOf), ['1', '2', '3']);
  const ids = [first, held.answer, resumed].map((sdp) => parseSessionDescription(sdp).origin.sessionId);
  assert.equal(new Set(ids).size, 1);
  assert.match(ids[0]!, /^\d+$/);
});

test('offers and answers share one version count', () => {
  const negotiator = new MediaNegotiator({ ...options, sessionId: '42' });
  const peer = new MediaNegotiator({ ...options, address: '192.0.2.1', port: 4000 });
  const offer = negotiator.offer();
  assert.equal(negotiator.offer(), offer);
  const { answer, negotiated } = peer.answer(offer);
  const ours = negotiator.apply(answer);
  assert.deepEqual(ours.remote, { address: '192.0.2.1', port: 4000 });
  assert.deepEqual(negotiated.remote, { address: '198.51.100.9', port: 20_000 });
  assert.deepEqual(ours.receive, negotiated.receive);
  const hold = negotiator.offer({ direction: 'sendonly' });
  assert.equal(versionOf(hold), '2');
  assert.equal(negotiator.apply(peer.answer(hold).answer).direction, 'sendonly');
});

test('an answer without an offer, and a refused offer, change nothing', () => {
  const negotiator = new MediaNegotiator(options);
  assert.throws(() => negotiator.apply(peerOffer('sendrecv')), CallreelError);
  const first = negotiator.answer(peerOffer('sendrecv')).answer;
  assert.throws(() => negotiator.answer('v=0\r\nm=audio 4000 RTP/AVP 18\r\n'), CallreelError);
  assert.equal(negotiator.answer(peerOffer('sendrecv')).answer, first);
});

test('the first offer puts the preferred codecs first, and no others', () => {
  const negotiator = new MediaNegotiator({ ...options, codecs: ['OPUS', 'PCMU', 'PCMA'] });
  const { media } = parseSessionDescription(
    negotiator.offer({ preferred: [{ codec: 'PCMA', clockRateHz: 8000 }, 'G722'] }),
  );
  assert.deepEqual(media[0]!.formats.slice(0, 3), ['8', '96', '0']);
});

const streamsOf = (sdp: string): string[] => sdp.split('\r\n').filter((line) => line.startsWith('m='));

test('a later offer to one who called keeps its streams and payload types', () => {
  const negotiator = new MediaNegotiator({ ...options, codecs: ['PCMU', 'OPUS'] });
  const offer =
    'v=0\r\nc=IN IP4 192.0.2.1\r\nm=video 5000 RTP/AVP 96\r\n' +
    'm=audio 4000 RTP/AVP 107 0\r\na=rtpmap:107 opus/48000/2\r\n';
  const { answer } = negotiator.answer(offer);
  const later = negotiator.offer({ direction: 'inactive' });
  assert.deepEqual(streamsOf(later), ['m=video 0 RTP/AVP 96', 'm=audio 20000 RTP/AVP 107 0']);
  assert.equal(later.replace(/(o=- \d+) 2 /, '$1 1 ').replace('a=inactive', 'a=sendrecv'), answer);
  const held = 'v=0\r\nc=IN IP4 192.0.2.1\r\nm=video 0 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 0\r\n';
  assert.equal(negotiator.apply(held).send.payloadType, 0);
});

test('port 0 in a later offer is a hold, in the first one a refusal', () => {
  const disabled = peerOffer('sendrecv').replace('m=audio 4000', 'm=audio 0');
  const negotiator = new MediaNegotiator(options);
  assert.throws(() => negotiator.answer(disabled), CallreelError);
  const before = negotiator.answer(peerOffer('sendrecv')).negotiated;
  const held = negotiator.answer(disabled);
  assert.deepEqual(streamsOf(held.answer), ['m=audio 0 RTP/AVP 0 8 101']);
  assert.deepEqual(held.negotiated, { ...before, direction: 'inactive', remote: undefined });
  assert.deepEqual(streamsOf(negotiator.offer()), ['m=audio 20000 RTP/AVP 0 8 101']);
  assert.deepEqual(negotiator.answer(peerOffer('sendrecv')).negotiated, before);
});

test('T.38 instead of audio is refused, and the call goes on as agreed', () => {
  const negotiator = new MediaNegotiator(options);
  const { negotiated } = negotiator.answer(peerOffer('sendrecv'));
  const fax = 'v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\nm=image 4002 udptl t38\r\n';
  assert.throws(() => negotiator.answer(fax), CallreelError);
  assert.equal(negotiator.agreed, negotiated);
});

test('our keys stay as long as the peer keeps its own', () => {
  const negotiator = new MediaNegotiator({ ...options, srtp: 'optional' });
  const secureOffer = (fill: number, direction = 'sendrecv') =>
    'v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/SAVP 0\r\n' +
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, fill).toString('base64')}\r\na=${direction}\r\n`;
  const keyAfter = (offer: string) => negotiator.answer(offer).negotiated.srtp!.send.key.keySalt;
  const first = keyAfter(secureOffer(1));
  assert.equal(keyAfter(secureOffer(1, 'sendonly')), first);
  const offered = negotiator.offer();
  assert.ok(offered.includes(first) && streamsOf(offered)[0]!.includes('RTP/SAVP'));
  const second = keyAfter(secureOffer(2));
  assert.notEqual(second, first);
  const { answer, negotiated } = negotiator.answer(secureOffer(2));
  assert.ok(answer.includes(second) && !answer.includes(first));
  assert.deepEqual(negotiated.srtp?.receive.keys, [{ keySalt: Buffer.alloc(30, 2).toString('base64') }]);
});

test('an offer is examined as it is answered, and nothing is left of it', () => {
  const negotiator = new MediaNegotiator({ ...options, srtp: 'optional' });
  negotiator.examine(peerOffer('sendonly'));
  assert.equal(negotiator.agreed, undefined);
  assert.throws(() => negotiator.apply(peerOffer('sendrecv')), CallreelError);
  assert.equal(versionOf(negotiator.answer(peerOffer('sendrecv')).answer), '1');
  const codeOf = (act: () => unknown): string => {
    try {
      act();
    } catch (error) {
      return (error as CallreelError).code;
    }
    return 'taken';
  };
  const expected = {
    nonsense: 'SDP_INVALID',
    'v=0\r\n': 'NO_COMMON_CODEC',
    'v=0\r\nm=audio 4000 RTP/AVP 18\r\n': 'NO_COMMON_CODEC',
    'v=0\r\nm=audio 4000 RTP/SAVP 0\r\n': 'MEDIA_TRANSPORT_UNSUPPORTED',
    'v=0\r\nm=audio 4000 RTP/AVP 0\r\n': 'taken',
  };
  for (const [offer, code] of Object.entries(expected)) {
    assert.equal(
      codeOf(() => new MediaNegotiator(options).examine(offer)),
      code,
      offer,
    );
    assert.equal(
      codeOf(() => new MediaNegotiator(options).answer(offer)),
      code,
      offer,
    );
  }
});

test('an offer that was read is answered as its text is', () => {
  const of = (offer: string | ReturnType<typeof parseSessionDescription>) =>
    new MediaNegotiator({ ...options, sessionId: '42' }).answer(offer);
  const offer = peerOffer('sendonly');
  assert.deepEqual(of(parseSessionDescription(offer)), of(offer));
});

test('an offer that is refused with its keys is made once more as RTP/SAVP, the rest of it unchanged', () => {
  const negotiator = new MediaNegotiator({ ...options, srtp: 'optional' });
  assert.equal(negotiator.secureOffer(), undefined);
  const offer = negotiator.offer({ preferred: ['PCMA'] });
  assert.match(offer, /^m=audio 20000 RTP\/AVP 8 0 101\r$/m);
  const secure = negotiator.secureOffer();
  const expected = offer.replace('RTP/AVP', 'RTP/SAVP').replace(/^(o=- \d+) 1 /m, '$1 2 ');
  assert.equal(secure, expected);
  assert.equal(negotiator.secureOffer(), undefined);
  const peer = new MediaNegotiator({ ...options, address: '192.0.2.1', port: 4000, srtp: 'required' });
  const { answer, negotiated } = peer.answer(expected);
  assert.match(answer, /^m=audio 4000 RTP\/SAVP 8 /m);
  const agreed = negotiator.apply(answer);
  assert.deepEqual(agreed.srtp?.receive.keys, [negotiated.srtp?.send.key]);
  assert.throws(() => negotiator.apply(answer.replaceAll(/a=crypto:.*\r\n/g, '')), {
    code: 'MEDIA_TRANSPORT_UNSUPPORTED',
  });
  // The peer may still leave SRTP later on, as at any call it is optional in.
  assert.equal(negotiator.answer(peerOffer('sendrecv')).negotiated.srtp, undefined);
});

test('there is no other offer without keys in the first, with RTP/SAVP in it, and behind an answer', () => {
  for (const srtp of [
    { srtp: 'off' },
    { srtp: 'required' },
    { srtp: 'optional', offersSrtp: false },
  ] as const) {
    const negotiator = new MediaNegotiator({ ...options, ...srtp });
    negotiator.offer();
    assert.equal(negotiator.secureOffer(), undefined);
  }
  const answered = new MediaNegotiator({ ...options, srtp: 'optional' });
  const peer = new MediaNegotiator({ ...options, srtp: 'optional' });
  answered.apply(peer.answer(answered.offer()).answer);
  assert.equal(answered.secureOffer(), undefined);
});
