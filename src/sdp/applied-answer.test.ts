import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CallreelError, type ErrorCode } from '../errors.ts';
import { applyAnswer } from './applied-answer.ts';
import { createOffer, type LocalMedia } from './offer-answer.ts';

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

  test('key presses come by the payload type of our offer and go by that of the answer', () => {
    const answer = offerOf('m=audio 4000 RTP/AVP 8 96', 'a=rtpmap:96 telephone-event/8000');
    assert.deepEqual(applyAnswer(offer, answer).telephoneEvent, {
      payloadType: 101,
      clockRateHz: 8000,
      sendPayloadType: 96,
    });
  });

  test('key presses at every clock, by our numbers and by those of the answer', () => {
    const answer = offerOf(
      'm=audio 4000 RTP/AVP 111 0 100 105',
      'a=rtpmap:111 opus/48000/2',
      'a=rtpmap:100 telephone-event/48000',
      'a=rtpmap:105 telephone-event/8000',
    );
    const { telephoneEvent, otherTelephoneEvents } = applyAnswer(offer, answer);
    assert.deepEqual(telephoneEvent, { payloadType: 97, clockRateHz: 48_000, sendPayloadType: 100 });
    assert.deepEqual(otherTelephoneEvents, [
      { payloadType: 101, clockRateHz: 8000 },
      { payloadType: 100, clockRateHz: 48_000 },
      { payloadType: 105, clockRateHz: 8000 },
    ]);
  });

  test('a clock for key presses that the answer leaves out is left out', () => {
    const answer = offerOf(
      'm=audio 4000 RTP/AVP 96 101',
      'a=rtpmap:96 opus/48000/2',
      'a=rtpmap:101 telephone-event/8000',
    );
    const { telephoneEvent, otherTelephoneEvents } = applyAnswer(offer, answer);
    assert.deepEqual(telephoneEvent, { payloadType: 101, clockRateHz: 8000 });
    assert.equal(otherTelephoneEvents, undefined);
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

  test('Opus is sent as the answer asks', () => {
    const fmtp = 'a=fmtp:96 maxplaybackrate=8000;useinbandfec=0';
    const answer = offerOf('m=audio 4000 RTP/AVP 96', 'a=rtpmap:96 opus/48000/2', fmtp);
    assert.deepEqual(applyAnswer(offer, answer).send.opus, { maxPlaybackRateHz: 8000, useInbandFec: false });
  });

  test('RTCP goes with RTP only where the answer says so too', () => {
    const rtcpOf = (...lines: string[]) =>
      applyAnswer(offer, offerOf('m=audio 4000 RTP/AVP 0', ...lines)).rtcp;
    assert.deepEqual(rtcpOf('a=rtcp-mux'), { mux: true, remote: { address: '192.0.2.1', port: 4000 } });
    assert.deepEqual(rtcpOf(), { mux: false, remote: { address: '192.0.2.1', port: 4001 } });
    assert.deepEqual(rtcpOf('a=rtcp:9 IN IP4 192.0.2.77'), {
      mux: false,
      remote: { address: '192.0.2.77', port: 9 },
    });
    assert.deepEqual(rtcpOf('c=IN IP4 0.0.0.0'), { mux: false });
  });

  test('the audio stream counts where others were left out of the answer, or come before it', () => {
    const answer = offerOf('m=video 0 RTP/AVP 96', 'm=audio 4000 RTP/AVP 0');
    assert.deepEqual(applyAnswer(offer, answer).remote, { address: '192.0.2.1', port: 4000 });
  });

  test('refusals', () => {
    refusedWith('MEDIA_TRANSPORT_UNSUPPORTED', /multicast/, () =>
      applyAnswer(offer, offerOf('m=audio 4000 RTP/AVP 0', 'c=IN IP4 239.1.1.1/1')),
    );
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
