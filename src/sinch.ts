import type { FastifyInstance } from 'fastify';
import type { CallPlacer } from './call/call-placer.ts';
import type { LiveCalls } from './call/live-calls.ts';
import type { Config } from './config.ts';
import { SinchCallRecords } from './dialects/sinch/call-records.ts';
import { SinchCallbacks } from './dialects/sinch/callbacks.ts';
import type { RecordingRules } from './dialects/sinch/recording-options.ts';
import { WishMaker } from './dialects/sinch/recording-wishes.ts';
import { sinchRoutes } from './dialects/sinch/routes.ts';
import { SinchSessions } from './dialects/sinch/sessions.ts';
import type { Foundation } from './foundation.ts';
import type { VerbPerformer } from './script/performer.ts';

/** The Sinch dialect, over live calls. */
export interface Sinch {
  performer: VerbPerformer;
  rules: RecordingRules;
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
  const rules = { hasDefaultStore: defaultDestination !== undefined };
  const callbacks = new SinchCallbacks({
    ...{ client, clock, log },
    rules,
    send: async (event) => {
      await outbox.transaction((trx) => outbox.insert(trx, event));
    },
  });
  const wishes = new WishMaker({ ...foundation, seal: delivery.seal, defaultDestination, failureEvents });
  const records = new SinchCallRecords({ db, clock, log });
  const { applications } = foundation.sinch;
  const live = { calls, performer, callbacks, wishes, records, applications };
  const sessions = new SinchSessions({ ...foundation, ...live });
  return { performer, rules, sessions, callbacks, wishes, records };
}

/** Its HTTP routes, which let in by themselves. */
export function sinchDoor(
  foundation: Foundation,
  options: { calls: LiveCalls; placer: CallPlacer; sinch: Sinch },
): (app: FastifyInstance) => void {
  const { applications, storeLinks } = foundation.sinch;
  const { ownStore } = foundation.delivery;
  const parts = { ...foundation, ...options, ...options.sinch, applications, storeLinks, ownStore };
  return (app) => sinchRoutes(app, parts);
}
