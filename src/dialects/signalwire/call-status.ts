import type { Leg } from '../../call/leg.ts';
import type { Clock } from '../../clock.ts';
import { callParties } from './call-leg-body.ts';
import type { StatusCallbacks } from './status-callbacks.ts';

export const callStatuses = ['queued', 'initiated', 'ringing', 'answered', 'ending', 'ended'] as const;
export type CallStatus = (typeof callStatuses)[number];

export interface CallStatusOptions {
  clock: Clock;
  statuses: StatusCallbacks;
  url: string;
  /** What is to be told. */
  wanted: ReadonlySet<CallStatus>;
}

/** Tells the `status_url` of a call that was placed how it goes on: each status once. */
export function tellCallStatus(leg: Leg, { clock, statuses, url, wanted }: CallStatusOptions): void {
  const told = new Set<CallStatus>();
  let answeredUs: number | undefined;
  const tell = (status: CallStatus): void => {
    if (told.has(status)) return;
    told.add(status);
    if (!wanted.has(status)) return;
    const durationMs =
      answeredUs === undefined ? null : Math.round((clock.monotonicUs() - answeredUs) / 1000);
    const body = {
      call_id: leg.id,
      status,
      ...callParties(leg),
      duration: durationMs === null ? null : Math.round(durationMs / 1000),
      duration_ms: durationMs,
    };
    statuses.post({ callId: leg.id, url, type: 'call.status', body });
  };
  statuses.listen(leg.id, url);
  tell('queued');
  tell('initiated');
  leg.addHandlers({
    progress: () => tell('ringing'),
    answered: () => {
      answeredUs = clock.monotonicUs();
      tell('answered');
    },
    ended: () => {
      tell('ending');
      tell('ended');
      statuses.forget(leg.id);
    },
  });
}
