import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CallreelError, type ErrorCode } from '../errors.ts';
import { answerOffer, applyAnswer, createOffer, type LocalMedia } from './offer-answer.ts';
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
    );
    const { answer, negotiated } = answerOffer(offer, local);
    assert.deepEqual(linesOf(answer), [
      'v=0',
      'o=- 77 3 IN IP4 198.51.100.9',
      's=callreel',
      'c=IN IP4 198.51.100.9',
      't=0 0',
      'm=audio 20000 RTP/AVP 0 8 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      'a=sendrecv',
    ]);
    assert.deepEqual(negotiated, {
      remote: { address: '192.0.2.1', port: 4000 },
      receive: [
        { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 },
        { payloadType: 8, codec: 'PCMA', clockRateHz: 8000 },
      ],
      send: { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 },
      ptimeMs: 20,
      telephoneEvent: { payloadType: 101, clockRateHz: 8000 },
      direction: 'sendrecv',
    });
  });

  test("our order of preference decides, with the offer's payload types", () => {
    const offer = offerOf('m=audio 4000 RTP/AVP 0 107 8', 'a=rtpmap:107 opus/48000/2');
    const { negotiated } = answerOffer(offer, { ...local, codecs: ['OPUS', 'PCMA', 'PCMU'] });
    assert.deepEqual(
      negotiated.receive.map(({ payloadType }) => payloadType),
      [107, 8, 0],
    );
    assert.deepEqual(negotiated.send, { payloadType: 107, codec: 'OPUS', clockRateHz: 48_000 });
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

describe('what cannot be answered', () => {
  test('says why', () => {
    const noCodec =
      (...lines: string[]) =>
      () =>
        answerOffer(offerOf(...lines), local);
    refusedWith('NO_COMMON_CODEC', /no codec in common/, noCodec('m=audio 4000 RTP/AVP 18 3'));
    refusedWith(
      'NO_COMMON_CODEC',
      /no codec in common/,
      noCodec('m=audio 4000 RTP/AVP 101', 'a=rtpmap:101 telephone-event/8000'),
    );
    refusedWith('NO_COMMON_CODEC', /no audio stream/, noCodec('m=video 4000 RTP/AVP 96'));
    refusedWith('NO_COMMON_CODEC', /no audio stream/, noCodec('m=audio 0 RTP/AVP 0'));
    refusedWith('NO_COMMON_CODEC', /no audio stream/, noCodec());
    refusedWith('NO_COMMON_CODEC', /only over RTP\/SAVP/, noCodec('m=audio 4000 RTP/SAVP 0'));
    refusedWith(
      'NO_COMMON_CODEC',
      /only over UDP\/TLS\/RTP\/SAVPF/,
      noCodec('m=audio 9 UDP/TLS/RTP/SAVPF 0'),
    );
    refusedWith('SDP_INVALID', /does not begin/, () => answerOffer('hello', local));
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
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:9 G722/8000',
      'a=rtpmap:97 telephone-event/48000',
      'a=fmtp:97 0-15',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:40',
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
    assert.deepEqual(ours, { ...negotiated, remote: { address: '203.0.113.5', port: 30_000 } });
    assert.equal(ours.send.codec, 'PCMU');
  });
});

describe('applied answer', () => {
  const offer = createOffer({ ...local, codecs: ['OPUS', 'PCMU', 'PCMA'] });

  test("we send by the peer's payload type and receive by ours and theirs", () => {
    const negotiated = applyAnswer(offer, offerOf('m=audio 4000 RTP/AVP 111', 'a=rtpmap:111 opus/48000/2'));
    assert.equal(negotiated.send.payloadType, 111);
    assert.deepEqual(
      negotiated.receive.map(({ payloadType, codec }) => `${payloadType} ${codec}`),
      ['96 OPUS', '111 OPUS'],
    );
    assert.equal(negotiated.telephoneEvent, undefined);
  });

  test('a payload type that means something else in our offer keeps our meaning', () => {
    const negotiated = applyAnswer(offer, offerOf('m=audio 4000 RTP/AVP 101', 'a=rtpmap:101 PCMA/8000'));
    assert.deepEqual(
      negotiated.receive.map(({ payloadType }) => payloadType),
      [8],
    );
    assert.equal(negotiated.send.payloadType, 101);
  });

  test('key presses come by the payload type of our offer', () => {
    const answer = offerOf('m=audio 4000 RTP/AVP 8 96', 'a=rtpmap:96 telephone-event/8000');
    assert.deepEqual(applyAnswer(offer, answer).telephoneEvent, { payloadType: 101, clockRateHz: 8000 });
  });

  test('directions: the answer narrows the offer', () => {
    const direction = (line: string, ours = offer) =>
      applyAnswer(ours, offerOf('m=audio 4000 RTP/AVP 0', line)).direction;
    assert.equal(direction('a=sendrecv'), 'sendrecv');
    assert.equal(direction('a=recvonly'), 'sendonly');
    assert.equal(direction('a=sendonly'), 'recvonly');
    assert.equal(direction('a=inactive'), 'inactive');
    assert.equal(direction('a=sendrecv', createOffer({ ...local, direction: 'sendonly' })), 'sendonly');
  });

  test('the packet length is the one asked for in the answer, else ours', () => {
    const ours = createOffer({ ...local, ptimeMs: 30 });
    assert.equal(applyAnswer(ours, offerOf('m=audio 4000 RTP/AVP 0')).ptimeMs, 30);
    assert.equal(applyAnswer(ours, offerOf('m=audio 4000 RTP/AVP 0', 'a=ptime:20')).ptimeMs, 20);
  });

  test('a format listed twice counts once', () => {
    const answer = offerOf('m=audio 4000 RTP/AVP 0 96', 'a=rtpmap:96 PCMU/8000');
    assert.equal(applyAnswer(createOffer(local), answer).receive.length, 1);
  });

  test('refusals', () => {
    refusedWith('NO_COMMON_CODEC', /refuses/, () => applyAnswer(offer, offerOf('m=audio 0 RTP/AVP 0')));
    refusedWith('NO_COMMON_CODEC', /no codec of the offer/, () =>
      applyAnswer(offer, offerOf('m=audio 4000 RTP/AVP 18')),
    );
    refusedWith('SDP_INVALID', /no audio stream/, () =>
      applyAnswer(offer, offerOf('m=video 4000 RTP/AVP 96')),
    );
    refusedWith('SDP_INVALID', /no audio stream/, () => applyAnswer(offer, offerOf()));
    refusedWith('SDP_INVALID', /empty/, () => applyAnswer(offer, ''));
  });
});

test('a real SIPREC offer: the first stream is recorded, the second refused for now', () => {
  const text = readFileSync(
    new URL('../../test/data/siprec-offers/cisco-siprec-offer.txt', import.meta.url),
    'latin1',
  );
  const offer = text.slice(text.indexOf('v=0'), text.indexOf('--uniqueBoundary', text.indexOf('v=0')));
  const { answer, negotiated } = answerOffer(offer, local);
  assert.deepEqual(negotiated.remote, { address: '172.31.93.236', port: 10_292 });
  assert.equal(negotiated.direction, 'recvonly');
  assert.equal(negotiated.telephoneEvent?.payloadType, 101);
  assert.deepEqual(
    parseSessionDescription(answer).media.map(({ port }) => port),
    [20_000, 0],
  );
});
