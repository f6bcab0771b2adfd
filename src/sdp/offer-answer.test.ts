import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CallreelError, type ErrorCode } from '../errors.ts';
import { applyAnswer } from './applied-answer.ts';
import { LocalSrtp } from './local-srtp.ts';
import { answerOffer, createOffer, type LocalMedia, repeatOffer } from './offer-answer.ts';
import { parseSessionDescription } from './session-description.ts';

const local: LocalMedia = {
  address: '198.51.100.9',
  port: 20_000,
  codecs: ['PCMU', 'PCMA'],
  sessionId: '77',
  version: 3,
  telephoneEvents: true,
};

function offerOf(...lines: string[]): string {
  return ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...lines, ''].join('\r\n');
}

function refusedWith(code: ErrorCode, message: RegExp, action: () => unknown): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof CallreelError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

const linesOf = (sdp: string): string[] => sdp.split('\r\n').slice(0, -1);

describe('answer', () => {
  test('to an ordinary offer, line by line', () => {
    const offer = offerOf(
      'm=audio 4000 RTP/AVP 8 0 18 101',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      'a=ptime:20',
      'a=rtcp:4077',
    );
    const { answer, negotiated } = answerOffer(offer, local);
    assert.deepEqual(linesOf(answer), [
      'v=0',
      'o=- 77 3 IN IP4 198.51.100.9',
      's=callreel',
      'c=IN IP4 198.51.100.9',
      't=0 0',
      'm=audio 20000 RTP/AVP 8 0 101',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      'a=sendrecv',
    ]);
    assert.deepEqual(negotiated, {
      remote: { address: '192.0.2.1', port: 4000 },
      receive: [
        { payloadType: 8, codec: 'PCMA', clockRateHz: 8000 },
        { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 },
      ],
      send: { payloadType: 8, codec: 'PCMA', clockRateHz: 8000 },
      ptimeMs: 20,
      telephoneEvent: { payloadType: 101, clockRateHz: 8000 },
      rtcp: { mux: false, remote: { address: '192.0.2.1', port: 4077 } },
      direction: 'sendrecv',
    });
  });

  test("the offer's order of codecs decides, or ours where that is asked for; by the offer's payload types", () => {
    const offer = offerOf('m=audio 4000 RTP/AVP 0 107 8', 'a=rtpmap:107 opus/48000/2');
    const order = (options: Partial<LocalMedia>) =>
      answerOffer(offer, { ...local, codecs: ['OPUS', 'PCMA', 'PCMU'], ...options }).negotiated.receive.map(
        ({ payloadType }) => payloadType,
      );
    assert.deepEqual(order({}), [0, 107, 8]);
    assert.deepEqual(order({ codecOrder: 'ours' }), [107, 8, 0]);
  });

  test('Opus: each side says how it wants to be sent', () => {
    const opus = ['m=audio 4000 RTP/AVP 107', 'a=rtpmap:107 opus/48000'];
    const fmtp = 'a=fmtp:107 maxplaybackrate=16000; stereo=1;useinbandfec=1;maxaveragebitrate=20000;usedtx=1';
    const { answer, negotiated } = answerOffer(offerOf(...opus, fmtp), { ...local, codecs: ['OPUS'] });
    assert.deepEqual(negotiated.send, {
      payloadType: 107,
      codec: 'OPUS',
      clockRateHz: 48_000,
      opus: { maxPlaybackRateHz: 16_000, maxAverageBitrate: 20_000, useInbandFec: true, useDtx: true },
    });
    assert.ok(linesOf(answer).includes('a=rtpmap:107 opus/48000/2'));
    assert.ok(linesOf(answer).includes('a=fmtp:107 useinbandfec=1;usedtx=0'));
  });

  test('comfort noise is taken where it is offered, at each clock rate once', () => {
    const offer = offerOf('m=audio 4000 RTP/AVP 0 13 19 118', 'a=rtpmap:19 CN/8000', 'a=rtpmap:118 CN/16000');
    const { answer, negotiated } = answerOffer(offer, local);
    assert.deepEqual(negotiated.comfortNoise, [
      { payloadType: 13, clockRateHz: 8000 },
      { payloadType: 118, clockRateHz: 16_000 },
    ]);
    assert.ok(linesOf(answer).includes('m=audio 20000 RTP/AVP 0 13 118'));
    assert.ok(linesOf(answer).includes('a=rtpmap:13 CN/8000'));
  });

  test('rtcp-mux is answered where it is offered', () => {
    const { answer, negotiated } = answerOffer(offerOf('m=audio 4000 RTP/AVP 0', 'a=rtcp-mux'), local);
    assert.ok(linesOf(answer).includes('a=rtcp-mux'));
    assert.deepEqual(negotiated.rtcp, { mux: true, remote: { address: '192.0.2.1', port: 4000 } });
  });

  test('what browsers and conference servers add does no harm', () => {
    const offer = offerOf(
      'a=group:BUNDLE 0',
      'a=ice-lite',
      'b=AS:84',
      'm=audio 4000 RTP/AVPF 0',
      'a=mid:0',
      'a=ice-ufrag:4e08',
      'a=candidate:1 1 UDP 2130706431 192.0.2.9 4000 typ host',
      'a=rtcp-fb:* nack',
      'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
      'a=label:1',
    );
    const { answer } = answerOffer(offer, local);
    assert.deepEqual(linesOf(answer).slice(5), [
      'm=audio 20000 RTP/AVPF 0',
      'a=rtpmap:0 PCMU/8000',
      'a=ptime:20',
      'a=sendrecv',
    ]);
  });

  test('a codec counts only at its clock rate', () => {
    const offer = offerOf('m=audio 4000 RTP/AVP 96 97', 'a=rtpmap:96 PCMU/16000', 'a=rtpmap:97 PCMA/8000');
    assert.equal(answerOffer(offer, local).negotiated.send.payloadType, 97);
    const wide = { codec: 'PCMU', clockRateHz: 16_000 } as const;
    const { negotiated, answer } = answerOffer(offer, { ...local, codecs: [wide] });
    assert.deepEqual(negotiated.send, { payloadType: 96, ...wide });
    assert.ok(linesOf(answer).includes('a=rtpmap:96 PCMU/16000'));
  });

  test('telephone-event: on the clock of the codec, else at 8000 Hz, else any; not when unwanted or not offered', () => {
    const events = [
      'a=rtpmap:101 telephone-event/8000',
      'a=rtpmap:110 telephone-event/48000',
      'a=rtpmap:107 opus/48000/2',
    ];
    const eventOf = (formats: string, options: Partial<LocalMedia> = {}) =>
      answerOffer(offerOf(`m=audio 4000 RTP/AVP ${formats}`, ...events), {
        ...local,
        codecs: ['OPUS', 'PCMU'],
        ...options,
      }).negotiated.telephoneEvent;
    assert.deepEqual(eventOf('107 101 110'), { payloadType: 110, clockRateHz: 48_000 });
    assert.deepEqual(eventOf('107 101'), { payloadType: 101, clockRateHz: 8000 });
    assert.deepEqual(eventOf('0 110'), { payloadType: 110, clockRateHz: 48_000 });
    assert.equal(eventOf('0'), undefined);
    assert.equal(eventOf('0 101', { telephoneEvents: false }), undefined);
  });

  test('telephone-event: one for each clock of the codecs agreed', () => {
    const offer = offerOf(
      'm=audio 4000 RTP/AVP 107 0 101 110 112 113',
      'a=rtpmap:107 opus/48000/2',
      'a=rtpmap:101 telephone-event/8000',
      'a=rtpmap:110 telephone-event/48000',
      'a=rtpmap:112 telephone-event/16000',
      'a=rtpmap:113 telephone-event/8000',
    );
    const { negotiated, answer } = answerOffer(offer, { ...local, codecs: ['OPUS', 'PCMU'] });
    assert.deepEqual(negotiated.telephoneEvent, { payloadType: 110, clockRateHz: 48_000 });
    assert.deepEqual(negotiated.otherTelephoneEvents, [{ payloadType: 101, clockRateHz: 8000 }]);
    assert.ok(linesOf(answer).some((line) => /^m=audio \d+ RTP\/AVP 107 0 110 101$/.test(line)));
    assert.equal(
      answerOffer(offer, { ...local, codecs: ['PCMU'] }).negotiated.otherTelephoneEvents,
      undefined,
      'no codec of the other clock',
    );
  });

  test('every other stream is refused in its place', () => {
    const offer = offerOf(
      'm=video 5000 RTP/AVP 96',
      'a=rtpmap:96 H264/90000',
      'm=audio 4002 RTP/SAVP 0',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj',
      'm=audio 4004 RTP/AVP 18',
      'm=audio 4006 RTP/AVP 8',
      'm=audio 4008 RTP/AVP 0',
      'm=application 4010 UDP/BFCP *',
      'm=image 4012 udptl t38',
      'm=message 4014 TCP/MSRP *',
      'm=audio 4016 RTP/AVP',
    );
    const { answer, negotiated } = answerOffer(offer, local);
    assert.deepEqual(
      linesOf(answer).filter((line) => line.startsWith('m=')),
      [
        'm=video 0 RTP/AVP 96',
        'm=audio 0 RTP/SAVP 0',
        'm=audio 0 RTP/AVP 18',
        'm=audio 20000 RTP/AVP 8',
        'm=audio 0 RTP/AVP 0',
        'm=application 0 UDP/BFCP *',
        'm=image 0 udptl t38',
        'm=message 0 TCP/MSRP *',
        'm=audio 0 RTP/AVP 0',
      ],
    );
    assert.equal(negotiated.remote?.port, 4006);
    assert.equal(parseSessionDescription(answer).media[1]!.attributes.length, 0);
  });

  test('IPv6 on either side', () => {
    const offer = offerOf('m=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::5');
    const { answer, negotiated } = answerOffer(offer, { ...local, address: '2001:db8::9' });
    assert.ok(linesOf(answer).includes('c=IN IP6 2001:db8::9'));
    assert.deepEqual(negotiated.remote, { address: '2001:db8::5', port: 4000 });
  });

  for (const [name, lines, direction, hasRemote] of [
    ['sendrecv', ['a=sendrecv'], 'sendrecv', true],
    ['sendonly', ['a=sendonly'], 'recvonly', true],
    ['recvonly', ['a=recvonly'], 'sendonly', true],
    ['inactive', ['a=inactive'], 'inactive', true],
    ['an address of zeros', ['c=IN IP4 0.0.0.0'], 'recvonly', false],
    ['an address of zeros and inactive', ['c=IN IP4 0.0.0.0', 'a=inactive'], 'inactive', false],
  ] as const)
    test(`hold by ${name} is mirrored`, () => {
      const { answer, negotiated } = answerOffer(offerOf('m=audio 4000 RTP/AVP 0', ...lines), local);
      assert.equal(negotiated.direction, direction);
      assert.equal(negotiated.remote !== undefined, hasRemote);
      assert.equal(linesOf(answer).at(-1), `a=${direction}`);
    });

  test('our own direction narrows it', () => {
    const offer = offerOf('m=audio 4000 RTP/AVP 0');
    assert.equal(answerOffer(offer, { ...local, direction: 'recvonly' }).negotiated.direction, 'recvonly');
    const held = offerOf('m=audio 4000 RTP/AVP 0', 'a=recvonly');
    assert.equal(answerOffer(held, { ...local, direction: 'recvonly' }).negotiated.direction, 'inactive');
  });

  for (const [lines, ptimeMs] of [
    [[], 20],
    [['a=ptime:30'], 30],
    [['a=ptime:10'], 10],
    [['a=ptime:2.5'], 10],
    [['a=ptime:200'], 60],
    [['a=maxptime:10'], 10],
    [['a=ptime:40', 'a=maxptime:20'], 20],
    [['a=ptime:0'], 20],
    [['a=ptime:twenty'], 20],
  ] as const)
    test(`packet length for ${lines.join(' ') || 'none asked'} is ${ptimeMs} ms`, () => {
      const { answer, negotiated } = answerOffer(offerOf('m=audio 4000 RTP/AVP 0', ...lines), local);
      assert.equal(negotiated.ptimeMs, ptimeMs);
      assert.ok(linesOf(answer).includes(`a=ptime:${ptimeMs}`));
    });
});

describe('what cannot be answered says why', () => {
  const dtls = 'm=audio 9 UDP/TLS/RTP/SAVPF 0';
  for (const [lines, code, message] of [
    [['m=audio 4000 RTP/AVP 18 3'], 'NO_COMMON_CODEC', /no codec in common/],
    [['m=audio 4000 RTP/AVP 101', 'a=rtpmap:101 telephone-event/8000'], 'NO_COMMON_CODEC', /no codec/],
    [['m=video 4000 RTP/AVP 96'], 'NO_COMMON_CODEC', /no audio stream/],
    [['m=image 4000 udptl t38'], 'NO_COMMON_CODEC', /no audio stream/],
    [['m=audio 0 RTP/AVP 0'], 'NO_COMMON_CODEC', /no audio stream/],
    [[], 'NO_COMMON_CODEC', /no audio stream/],
    [[dtls], 'MEDIA_TRANSPORT_UNSUPPORTED', /DTLS-SRTP \(UDP\/TLS\/RTP\/SAVPF\)/],
    [['m=audio 9 RTP/SAVPF 0', 'a=fingerprint:sha-256 AA'], 'MEDIA_TRANSPORT_UNSUPPORTED', /DTLS-SRTP/],
    [['m=audio 9 TCP/RTP/AVP 0'], 'MEDIA_TRANSPORT_UNSUPPORTED', /over TCP\/RTP\/AVP only/],
    [['m=audio 9 RTP/SAVP 0'], 'MEDIA_TRANSPORT_UNSUPPORTED', /without an a=crypto/],
    [['m=audio 9 RTP/AVP 0', 'c=IN IP4 224.2.1.1/127'], 'MEDIA_TRANSPORT_UNSUPPORTED', /multicast/],
  ] as const)
    test(lines.join(' ') || 'nothing', () =>
      refusedWith(code, message, () =>
        answerOffer(offerOf(...lines), { ...local, srtp: new LocalSrtp('optional') }),
      ),
    );

  test('no description at all', () =>
    refusedWith('SDP_INVALID', /does not begin/, () => answerOffer('hello', local)));

  test('DTLS-SRTP beside plain RTP: the plain stream is taken', () => {
    const { answer } = answerOffer(offerOf(dtls, 'm=audio 4000 RTP/AVP 0'), local);
    assert.deepEqual(
      linesOf(answer).filter((line) => line.startsWith('m=')),
      ['m=audio 0 UDP/TLS/RTP/SAVPF 0', 'm=audio 20000 RTP/AVP 0'],
    );
  });
});

describe('offer', () => {
  test('line by line', () => {
    const offer = createOffer({
      ...local,
      codecs: ['OPUS', 'PCMA', 'G722'],
      direction: 'sendonly',
      ptimeMs: 40,
    });
    assert.deepEqual(linesOf(offer).slice(5), [
      'm=audio 20000 RTP/AVP 96 8 9 97 101',
      'a=rtpmap:96 opus/48000/2',
      'a=fmtp:96 useinbandfec=1;usedtx=0',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:9 G722/8000',
      'a=rtpmap:97 telephone-event/48000',
      'a=fmtp:97 0-15',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:40',
      'a=rtcp-mux',
      'a=sendonly',
    ]);
  });

  test('dynamic payload types step over 101 and never meet', () => {
    const codecs = [16_000, 24_000, 32_000, 48_000, 96_000, 8000].map((clockRateHz) => ({
      codec: 'PCMU' as const,
      clockRateHz,
    }));
    const { formats } = parseSessionDescription(createOffer({ ...local, codecs })).media[0]!;
    assert.equal(new Set(formats).size, formats.length);
    assert.deepEqual(formats.slice(0, 6), ['96', '97', '98', '99', '100', '0']);
    assert.equal(formats.at(-1), '101');
  });

  test('our offer, answered by ourselves, comes to the same on both sides', () => {
    const offer = createOffer({ ...local, codecs: ['OPUS', 'PCMU'] });
    const peer = { ...local, address: '203.0.113.5', port: 30_000, codecs: ['PCMU', 'OPUS'] as const };
    const { answer, negotiated } = answerOffer(offer, peer);
    const ours = applyAnswer(offer, answer);
    const remote = { address: '203.0.113.5', port: 30_000 };
    assert.deepEqual(ours, { ...negotiated, remote, rtcp: { mux: true, remote } });
    assert.equal(ours.send.codec, 'OPUS');
  });

  test('a later one keeps streams, places and payload types of the description before', () => {
    const peer = offerOf(
      'm=video 5000 RTP/AVP 96',
      'm=audio 4000 RTP/AVP 107 0',
      'a=rtpmap:107 opus/48000/2',
    );
    const { answer } = answerOffer(peer, { ...local, codecs: ['PCMU', 'OPUS'] });
    const later = repeatOffer(answer, { ...local, version: 4, direction: 'sendonly' });
    const expected = linesOf(answer).map((line) =>
      line.replace('o=- 77 3', 'o=- 77 4').replace('a=sendrecv', 'a=sendonly'),
    );
    assert.deepEqual(linesOf(later), expected);
  });
});
