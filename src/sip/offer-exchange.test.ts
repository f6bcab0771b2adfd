import assert from 'node:assert/strict';
import { test } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { type OfferEvent, OfferExchange, type OfferState, offerTable } from './offer-exchange.ts';

throwOnUnlistedTransitions();

/**
 * From the text of the RFCs. 3264 section 4: "at any time, either agent MAY generate a new offer [...] However, it MUST
 * NOT generate a new offer if it has received an offer which it has not yet answered or rejected. Furthermore, it MUST
 * NOT generate a new offer if it has generated a prior offer for which it has not yet received an answer or a
 * rejection." Section 8 of it: a refused offer leaves the session as it was.
 */
testTransitions('offer', offerTable, {
  states: ['none', 'first-sent', 'first-received', 'agreed', 'sent', 'received'],
  events: ['send-offer', 'receive-offer', 'send-answer', 'receive-answer', 'refuse'],
  expected: [
    ['none', 'send-offer', 'first-sent', 'RFC 3261 13.2.1: "The initial offer MUST be in either an INVITE"'],
    ['none', 'receive-offer', 'first-received', 'RFC 3261 13.2.1'],
    [
      'first-sent',
      'receive-answer',
      'agreed',
      'RFC 3261 13.2.1: in the 2xx or the ACK; RFC 3262 5: in a PRACK',
    ],
    [
      'first-sent',
      'refuse',
      'none',
      'RFC 3262 5, RFC 6337 2.3: an offer of a reliable 1xx that nobody answers; RFC 3261 21.4.26: 488',
    ],
    ['first-received', 'send-answer', 'agreed', 'RFC 3261 13.2.1: in the 2xx or a reliable response'],
    ['first-received', 'refuse', 'none', 'RFC 3261 13.3.1.3: 488'],
    ['agreed', 'send-offer', 'sent', 'RFC 3261 14.1: re-INVITE; RFC 3311 5.1: UPDATE'],
    ['agreed', 'receive-offer', 'received', 'RFC 3261 14.2; RFC 3311 5.2'],
    ['sent', 'receive-answer', 'agreed', 'RFC 3264 7: the offerer takes the answer'],
    ['sent', 'refuse', 'agreed', 'RFC 3261 14.1: "the session parameters MUST remain unchanged"'],
    ['received', 'send-answer', 'agreed', 'RFC 3264 6: generating the answer'],
    ['received', 'refuse', 'agreed', 'RFC 3261 14.2: 488, "the UAS MUST ensure" the session goes on'],
  ],
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

test('an exchange that is told what its state has no row for refuses it and stays where it is', () => {
  const taken: Record<OfferState, OfferEvent[]> = {
    none: ['send-offer', 'receive-offer'],
    'first-sent': ['receive-answer', 'refuse'],
    'first-received': ['send-answer', 'refuse'],
    agreed: ['send-offer', 'receive-offer'],
    sent: ['receive-answer', 'refuse'],
    received: ['send-answer', 'refuse'],
  };
  for (const state of Object.keys(wayTo) as OfferState[])
    for (const event of Object.keys(events) as OfferEvent[]) {
      const exchange = exchangeIn(state);
      if (taken[state].includes(event)) {
        events[event](exchange);
        continue;
      }
      assert.throws(() => events[event](exchange), { code: 'STATE_INVALID' });
      assert.equal(exchange.state, state);
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
