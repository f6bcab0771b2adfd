import type { Conference, ConferenceObserver } from '../../call/conference.ts';
import type { Leg } from '../../call/leg.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { ConferenceDtmf } from './action-parts.ts';

export interface ConferenceKeysOptions {
  leg: Leg;
  dtmf: ConferenceDtmf;
  clock: Clock;
  /** `forward`: to another participant. */
  press(connectionId: string, digit: string): void;
  /** `detect`: so many keys, or as many as there were when no more came. */
  detected(digits: string): void;
}

/** What the keys of a participant do, as long as it is in the conference (`conferenceDtmfOptions`). */
export function conferenceKeys(options: ConferenceKeysOptions): ConferenceObserver | undefined {
  const { leg, dtmf } = options;
  if (dtmf.mode === 'ignore') return undefined;
  let removeHandlers = () => {};
  return {
    came: (conference, who) => {
      if (who !== leg) return;
      removeHandlers();
      const digit = dtmf.mode === 'forward' ? forwarder(conference, options) : detector(options);
      removeHandlers = leg.addHandlers({ digit });
    },
    went: (_, who) => {
      if (who === leg) removeHandlers();
    },
  };
}

function forwarder(conference: Conference, { leg, press }: ConferenceKeysOptions): (digit: string) => void {
  return (digit) => {
    for (const { connectionId } of conference.members)
      if (connectionId !== leg.id) press(connectionId, digit);
  };
}

function detector({ leg, dtmf, clock, detected }: ConferenceKeysOptions): (digit: string) => void {
  let digits = '';
  let timer: Timer | undefined;
  const done = () => {
    timer?.cancel();
    const collected = digits;
    digits = '';
    if (collected !== '' && !leg.ended) detected(collected);
  };
  return (digit) => {
    digits += digit;
    timer?.cancel();
    if (digits.length >= dtmf.maxDigits) done();
    else timer = clock.after(dtmf.timeoutMs, done);
  };
}
