import assert from 'node:assert/strict';
import { test } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { type OfferEvent, OfferExchange, type OfferState, offerTable } from './offer-exchange.ts';

throwOnUnlistedTransitions();

/**
 * From the text of the RFCs. 3264 section 4: "at any time, either agent MAY generate a new offer [...] However, it MUST
 * NOT generate a new offer if it has received an offer which it has not yet answered or rejected. Furthermore, it MUST
 * NOT generate a new offer if it has generated a prior offer for which it has not yet received an answer or a
 * rejection." Section 8 of it: a refused offer leaves the session as it was.
 */
const expected: [OfferState, OfferEvent, OfferState][] = [
  ['none', 'send-offer', 'first-sent'],
  ['none', 'receive-offer', 'first-received'],
  ['first-sent', 'receive-answer', 'agreed'],
  ['first-sent', 'refuse', 'none'],
  ['first-received', 'send-answer', 'agreed'],
  ['first-received', 'refuse', 'none'],
  ['agreed', 'send-offer', 'sent'],
  ['agreed', 'receive-offer', 'received'],
  ['sent', 'receive-answer', 'agreed'],
  ['sent', 'refuse', 'agreed'],
  ['received', 'send-answer', 'agreed'],
  ['received', 'refuse', 'agreed'],
];

test('the table lists the transitions of the RFCs and no others', () => {
  const listed = Object.entries(offerTable).flatMap(([state, row]) =>
    Object.entries(row).map(([event, next]) => [state, event, next]),
  );
  assert.deepEqual(listed.sort(), [...expected].sort());
});

const events: Record<OfferEvent, (exchange: OfferExchange) => void> = {
  'send-offer': (exchange) => exchange.sendOffer('ours'),
  'receive-offer': (exchange) => exchange.receiveOffer('theirs'),
  'send-answer': (exchange) => exchange.sendAnswer('ours'),
  'receive-answer': (exchange) => exchange.receiveAnswer('theirs'),
  refuse: (exchange) => exchange.refuse(),
};

const wayTo: Record<OfferState, OfferEvent[]> = {
  none: [],
  'first-sent': ['send-offer'],
  'first-received': ['receive-offer'],
  agreed: ['send-offer', 'receive-answer'],
  sent: ['send-offer', 'receive-answer', 'send-offer'],
  received: ['send-offer', 'receive-answer', 'receive-offer'],
};

function exchangeIn(state: OfferState): OfferExchange {
  const exchange = new OfferExchange();
  for (const event of wayTo[state]) events[event](exchange);
  return exchange;
}

for (const state of Object.keys(wayTo) as OfferState[])
  test(`${state}: every pair that the RFCs do not name is refused`, () => {
    for (const event of Object.keys(events) as OfferEvent[]) {
      const exchange = exchangeIn(state);
      const next = expected.find(([from, by]) => from === state && by === event)?.[2];
      if (next === undefined) assert.throws(() => events[event](exchange), { code: 'STATE_INVALID' });
      else events[event](exchange);
      assert.equal(exchange.state, next ?? state);
    }
  });

test('an offer of the peer is refused as RFC 3261 section 14.2 wants it', () => {
  const refusals = Object.keys(wayTo).map((state) => [state, exchangeIn(state as OfferState).refusal]);
  assert.deepEqual(Object.fromEntries(refusals), {
    none: 500,
    'first-sent': 491,
    'first-received': 500,
    agreed: undefined,
    sent: 491,
    received: 500,
  });
});

test('what is in force changes with the answer, not with the offer', () => {
  const exchange = new OfferExchange();
  exchange.receiveOffer('offer 1');
  exchange.sendAnswer('answer 1');
  exchange.sendOffer('offer 2');
  assert.deepEqual([exchange.local, exchange.remote], ['answer 1', 'offer 1']);
  exchange.refuse();
  assert.deepEqual([exchange.local, exchange.remote], ['answer 1', 'offer 1']);
  exchange.sendOffer('offer 3');
  exchange.receiveAnswer('answer 3');
  assert.deepEqual([exchange.local, exchange.remote], ['offer 3', 'answer 3']);
});
