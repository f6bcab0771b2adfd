import type { LiveCalls } from './call/live-calls.ts';
import type { Config } from './config.ts';
import { SinchCallRecords } from './dialects/sinch/call-records.ts';
import { SinchCallbacks } from './dialects/sinch/callbacks.ts';
import { WishMaker } from './dialects/sinch/recording-wishes.ts';
import { SinchSessions } from './dialects/sinch/sessions.ts';
import type { Foundation } from './foundation.ts';
import type { VerbPerformer } from './script/performer.ts';

/** The Sinch dialect, over live calls. */
export interface Sinch {
  sessions: SinchSessions;
  callbacks: SinchCallbacks;
  wishes: WishMaker;
  records: SinchCallRecords;
}

export function openSinch(
  config: Config,
  foundation: Foundation,
  { calls, performer }: { calls: LiveCalls; performer: VerbPerformer },
): Sinch {
  const { clock, log, db, outbox, delivery, callbacks: client } = foundation;
  const { defaultDestination, failureEvents } = config.sinch;
  const callbacks = new SinchCallbacks({
    ...{ client, clock, log },
    rules: { hasDefaultStore: defaultDestination !== undefined },
    send: async (event) => {
      await outbox.transaction((trx) => outbox.insert(trx, event));
    },
  });
  const wishes = new WishMaker({ seal: delivery.seal, defaultDestination, failureEvents });
  const records = new SinchCallRecords({ db, clock, log });
  const { applications } = foundation.sinch;
  const live = { calls, performer, callbacks, wishes, records, applications };
  const sessions = new SinchSessions({ ...foundation, ...live });
  return { sessions, callbacks, wishes, records };
}
