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
  const hold = negotiator.offer('sendonly');
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
