import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { CallreelError } from '../../../src/errors.ts';
import { MediaNegotiator } from '../../../src/sdp/media-negotiator.ts';
import { codecAndClock, type NegotiatedMedia } from '../../../src/sdp/negotiation.ts';
import { redactKeys } from '../../../src/sdp/redact-keys.ts';
import {
  parseSessionDescription,
  serializeSessionDescription,
} from '../../../src/sdp/session-description.ts';
import { type SrtpPolicy, srtpKeyBytes } from '../../../src/sdp/srtp-parameters.ts';
import { readData } from '../corpus.ts';
import type { FuzzTarget } from '../target.ts';
import { disabled, otherKey, sdpSeeds, sdpWords } from './sdp-seeds.ts';

const codecs = ['OPUS', 'G722', 'PCMA', 'PCMU'] as const;
const codes = ['SDP_INVALID', 'NO_COMMON_CODEC', 'MEDIA_TRANSPORT_UNSUPPORTED'];

/** Descriptions: read, written, answered as an offer, and applied as the answer to an offer of ours. */
export function createTarget(): FuzzTarget {
  const crlf = (text: string) => text.replaceAll('\n', '\r\n');
  return {
    isText: true,
    maxBytes: 66_000,
    dictionary: sdpWords,
    seeds: () => [...sdpSeeds.map((text) => Buffer.from(crlf(text))), ...siprecOffers()],
    run(input) {
      const text = Buffer.from(input).toString();
      redactKeys(text);
      checkStable(text);
      for (const srtp of ['off', 'optional', 'required'] as const) checkNegotiation(text, srtp);
    },
  };
}

/** The session descriptions inside of the recorded offers. */
function siprecOffers(): Uint8Array[] {
  return readData('siprec-offers', '.txt').flatMap((bytes) => {
    const text = Buffer.from(bytes).toString();
    const from = text.indexOf('v=0');
    const to = text.indexOf('\n--', from);
    return from < 0 ? [] : [Buffer.from(text.slice(from, to < 0 ? undefined : to))];
  });
}

function orRefusal<T>(attempt: () => T): T | undefined {
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof CallreelError)) throw error;
    assert.ok(codes.includes(error.code), `refused as ${error.code}`);
    assert.ok((error.where ?? '').length <= 1000 && error.message.length <= 1000, 'an error is short');
    if (error.code === 'SDP_INVALID')
      // What stands for a key may be cut off behind its bracket.
      assert.ok(!/inline:(?!\[(?:r|$))[^\s;|]/i.test(error.where ?? ''), 'no key in an error');
    return undefined;
  }
}

function checkStable(text: string): void {
  const session = orRefusal(() => parseSessionDescription(text));
  if (session === undefined) return;
  const again = orRefusal(() => parseSessionDescription(serializeSessionDescription(session)));
  // White space written once for a run of it makes it shorter, the parts left out are added: seldom too long.
  if (again === undefined)
    assert.ok(text.length > 60_000 || session.media.length + session.attributes.length > 1000);
  else assert.deepEqual(again, session);
}

function checkNegotiation(text: string, srtp: SrtpPolicy): void {
  const options = { address: '192.0.2.99', port: 4000, codecs, telephoneEvents: true, srtp, sessionId: '1' };
  const answering = new MediaNegotiator(options);
  const answered = orRefusal(() => answering.answer(text));
  if (answered !== undefined) {
    checkAgreed(answered.negotiated, srtp);
    checkAnswer(text, answered.answer);
    for (const later of [text, otherKey(text), disabled(text)]) {
      const again = orRefusal(() => answering.answer(later));
      if (again) checkAgreed(again.negotiated, srtp);
    }
    answering.offer({ direction: 'sendonly' });
    const applied = orRefusal(() => answering.apply(text));
    if (applied) checkAgreed(applied, srtp);
  }
  const offering = new MediaNegotiator(options);
  offering.offer();
  const applied = orRefusal(() => offering.apply(text));
  if (applied) checkAgreed(applied, srtp);
}

/** RFC 3264 section 6: as many streams as were offered, all but one of them refused, none of them new. */
function checkAnswer(offer: string, answer: string): void {
  assert.ok(answer.length <= offer.length + 8000, 'an answer is about as long as its offer');
  const offered = parseSessionDescription(offer).media;
  const { media } = parseSessionDescription(answer);
  assert.equal(media.length, offered.length);
  assert.equal(media.filter(({ port }) => port !== 0).length, 1);
  media.forEach(({ kind, protocol }, index) => {
    assert.equal(kind.toLowerCase(), offered[index]!.kind.toLowerCase());
    assert.equal(protocol, offered[index]!.protocol);
  });
  const lines = answer.split('\r\n').slice(0, -1);
  for (const line of lines) assert.match(line, /^[voscatm]=[^\r\n]*$/);
}

function checkAgreed(agreed: NegotiatedMedia, policy: SrtpPolicy): void {
  const { remote, receive, send, ptimeMs, telephoneEvent, comfortNoise, srtp, rtcp } = agreed;
  if (remote) checkEndpoint(remote);
  if (rtcp.remote) checkEndpoint(rtcp.remote);
  assert.ok(ptimeMs >= 10 && ptimeMs <= 60 && ptimeMs % 10 === 0, `packets of ${ptimeMs} ms`);
  assert.ok(receive.length >= 1 && receive.length <= 2 * codecs.length);
  const known = new Set(codecs.map((codec) => Object.values(codecAndClock(codec)).join('/')));
  for (const { payloadType, codec, clockRateHz } of [...receive, send]) {
    checkPayloadType(payloadType);
    assert.ok(known.has(`${codec}/${clockRateHz}`));
  }
  if (telephoneEvent) {
    checkPayloadType(telephoneEvent.payloadType);
    checkPayloadType(telephoneEvent.sendPayloadType ?? 0);
    checkClockRate(telephoneEvent.clockRateHz);
  }
  for (const { payloadType, clockRateHz } of comfortNoise ?? []) {
    checkPayloadType(payloadType);
    checkClockRate(clockRateHz);
  }
  if (policy === 'off') assert.equal(srtp, undefined);
  if (policy === 'required') assert.ok(srtp, 'plain RTP where SRTP is required');
  if (!srtp) return;
  assert.equal(srtp.send.suite, srtp.receive.suite);
  for (const { keySalt, mki } of [srtp.send.key, ...srtp.receive.keys]) {
    assert.equal(Buffer.from(keySalt, 'base64').length, srtpKeyBytes[srtp.send.suite]);
    if (mki) assert.ok(mki.bytes <= 16 && mki.value.length === 2 * mki.bytes);
  }
}

function checkPayloadType(payloadType: number): void {
  assert.ok(Number.isInteger(payloadType) && payloadType >= 0 && payloadType <= 127);
}

function checkClockRate(clockRateHz: number): void {
  assert.ok(
    Number.isInteger(clockRateHz) && clockRateHz >= 8000 && clockRateHz <= 192_000,
    'a clock rate is one of ours',
  );
}

/** One host that can be sent to. */
function checkEndpoint({ address, port }: { address: string; port: number }): void {
  assert.ok(port >= 1 && port <= 65_535);
  const family = isIP(address);
  assert.ok(family !== 0, 'an address is numeric');
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  assert.ok(!/^(0\.0\.0\.0|[0:.]+)$/.test(plain), `${address} is nowhere`);
  assert.ok(
    !/^ff/i.test(plain) && !(isIP(plain) === 4 && Number(plain.split('.')[0]) >= 224),
    `${address} is many`,
  );
}
