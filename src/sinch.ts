import type { LiveCalls } from './call/live-calls.ts';
import type { Config } from './config.ts';
import { CredentialSeal } from './delivery/credential-seal.ts';
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
}

export function openSinch(
  config: Config,
  foundation: Foundation,
  { calls, performer }: { calls: LiveCalls; performer: VerbPerformer },
): Sinch {
  const { clock, log, outbox, masterKey, callbacks: client } = foundation;
  const { defaultDestination, failureEvents } = config.sinch;
  const callbacks = new SinchCallbacks({
    ...{ client, clock, log },
    rules: { hasDefaultStore: defaultDestination !== undefined },
    send: async (event) => {
      await outbox.transaction((trx) => outbox.insert(trx, event));
    },
  });
  const wishes = new WishMaker({ seal: new CredentialSeal(masterKey), defaultDestination, failureEvents });
  const { applications } = foundation.sinch;
  const sessions = new SinchSessions({ ...foundation, calls, performer, callbacks, wishes, applications });
  return { sessions, callbacks, wishes };
}
