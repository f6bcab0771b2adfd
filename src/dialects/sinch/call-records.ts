import { WriteQueue } from '../../call/write-queue.ts';
import type { Clock } from '../../clock.ts';
import type { Db, SinchCall } from '../../database/schema.ts';
import {
  endSinchCall,
  getSinchCall,
  insertSinchCall,
  setSinchCallAnswered,
} from '../../database/sinch-calls.ts';
import type { Logger } from '../../logger.ts';
import type { CallDomain, CallReason, CallResult, Destination } from './callback-bodies.ts';

export interface BegunCall {
  callId: string;
  accountId: string;
  applicationKey: string;
  from: Destination;
  to: Destination;
  domain: CallDomain;
  custom: string | undefined;
  startedUnixMs: number;
}

export interface SinchCallRecordsOptions {
  db: Db;
  clock: Clock;
  log: Logger;
}

/** What is known of the dialect's calls, live and long over. */
export class SinchCallRecords {
  readonly #db: Db;
  readonly #writes: WriteQueue;

  constructor({ db, clock, log }: SinchCallRecordsOptions) {
    this.#db = db;
    this.#writes = new WriteQueue(clock, log);
  }

  begun({ startedUnixMs, custom = '', ...call }: BegunCall): void {
    const row = { ...call, custom, startedAt: new Date(startedUnixMs) };
    this.#write(call.callId, 'begun', () => insertSinchCall(this.#db, row));
  }

  answered(callId: string, unixMs: number): void {
    this.#write(callId, 'answered', () => setSinchCallAnswered(this.#db, callId, new Date(unixMs)));
  }

  ended(
    callId: string,
    { unixMs, ...end }: { unixMs: number; result: CallResult; reason: CallReason },
  ): void {
    const row = { ...end, endedAt: new Date(unixMs) };
    this.#write(callId, 'ended', () => endSinchCall(this.#db, callId, row));
  }

  /** As everything that was said of it so far left it. */
  async find(accountId: string, callId: string): Promise<SinchCall | undefined> {
    await this.#writes.whenWritten(callId);
    return await getSinchCall(this.#db, accountId, callId);
  }

  async close(): Promise<void> {
    this.#writes.close();
    await this.#writes.whenIdle();
  }

  #write(callId: string, what: string, write: () => Promise<void>): void {
    void this.#writes.add(callId, `a call of Sinch's dialect ${what}`, write);
  }
}
