import type { SinchCall } from '../../database/schema.ts';
import {
  type CallDomain,
  type CallReason,
  type CallResult,
  type Destination,
  free,
  type Price,
  vendorTime,
} from './callback-bodies.ts';

/** What `GET /calling/v1/calls/id/{callId}` tells. */
export interface CallInformation {
  from: Destination;
  to: Destination;
  domain: CallDomain;
  callId: string;
  /** In seconds, from its answer. */
  duration: number;
  status: 'ONGOING' | 'FINAL';
  result: CallResult;
  reason: CallReason;
  /** Of its beginning. */
  timestamp: string;
  custom: string;
  userRate: Price;
  debit: Price;
}

/**
 * @param endedAt of a call that nobody saw the end of: when its connection ended
 * @param nowUnixMs undefined for a call that is over
 */
export function callInformation(
  row: SinchCall,
  { nowUnixMs, endedAt }: { nowUnixMs?: number | undefined; endedAt?: Date | null | undefined },
): CallInformation {
  const { answeredAt, startedAt, callId, custom } = row;
  const untilMs = nowUnixMs ?? (row.endedAt ?? endedAt)?.getTime();
  const durationMs = answeredAt && untilMs !== undefined ? untilMs - answeredAt.getTime() : 0;
  return {
    from: row.from as Destination,
    to: row.to as Destination,
    domain: row.domain as CallDomain,
    callId,
    duration: Math.round(Math.max(0, durationMs) / 1000),
    ...(nowUnixMs === undefined ? outcome(row) : ongoing(row)),
    timestamp: vendorTime(startedAt.getTime()),
    custom,
    userRate: free,
    debit: free,
  };
}

type Outcome = Pick<CallInformation, 'status' | 'result' | 'reason'>;

function ongoing({ answeredAt }: SinchCall): Outcome {
  return { status: 'ONGOING', result: answeredAt ? 'ANSWERED' : 'N/A', reason: 'N/A' };
}

/** A server that was killed left no word about its end. */
function outcome({ result, reason, answeredAt }: SinchCall): Outcome {
  return {
    status: 'FINAL',
    result: (result ?? (answeredAt ? 'ANSWERED' : 'FAILED')) as CallResult,
    reason: (reason ?? 'GENERALERROR') as CallReason,
  };
}
