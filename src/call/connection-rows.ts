import type { Clock } from '../clock.ts';
import { type SavedLegLog, saveLegLogs } from '../database/calls.ts';
import {
  identifyConnections,
  insertConnections,
  type KnownConnection,
  type NewConnection,
  setConnected,
} from '../database/connections.ts';
import { type ConnectionEnd, endConnections } from '../database/ends.ts';
import type { Db } from '../database/schema.ts';
import type { LegLog } from './call-log.ts';
import type { Connection } from './connection.ts';
import type { CallEndReason } from './end-reason.ts';
import { WriteGroup } from './write-group.ts';
import type { WriteQueue } from './write-queue.ts';

/** In one write: of a log of a few messages, so that the whole stays within some hundred kilobytes. */
const mostLogs = 20;
const fewMessages = 20;
/** Of what nobody waits for; the row of a new connection is there as soon as can be. */
const everyMs = 20;

/** The directory's rows of connections: each is written in order, and no call waits for it. */
export class ConnectionRows {
  readonly #db: Db;
  readonly #writes: WriteQueue;
  readonly #starts: WriteGroup<NewConnection>;
  readonly #known: WriteGroup<KnownConnection>;
  readonly #answers: WriteGroup<string>;
  readonly #ends: WriteGroup<ConnectionEnd>;
  readonly #logs: WriteGroup<SavedLegLog>;

  /** @param clock by which rows of many calls are gathered; without it they are written as they come */
  constructor(db: Db, writes: WriteQueue, clock?: Clock) {
    const pace = clock && { clock, everyMs };
    this.#db = db;
    this.#writes = writes;
    this.#starts = new WriteGroup((starts) => insertConnections(db, starts));
    this.#known = new WriteGroup((known) => identifyConnections(db, known), { pace });
    this.#answers = new WriteGroup(async (ids) => void (await setConnected(db, ids)), { pace });
    this.#ends = new WriteGroup((ends) => endConnections(db, ends));
    this.#logs = new WriteGroup((logs) => saveLegLogs(db, logs), { most: mostLogs });
  }

  started(connection: Connection): void {
    const { connectionId, accountId, from, to, direction, sipCallId, startedUnixMs } = connection;
    const { sipIdentity, trunkId, callId, clientState } = connection;
    const row = {
      ...{
        connectionId,
        accountId,
        from,
        to,
        direction,
        sipCallId,
        sipIdentity,
        trunkId,
        callId,
        clientState,
      },
      startTime: new Date(startedUnixMs),
    };
    this.#write(connectionId, 'connection started', () => this.#starts.add(row));
  }

  /** When what was written of the connection so far is in the database. */
  written(connectionId: string): Promise<void> {
    return this.#writes.add(connectionId, 'nothing more', () => Promise.resolve());
  }

  /** Who calls and by which trunk is known now. */
  identified({ connectionId, from, to, sipIdentity, trunkId }: Connection): void {
    const known = { connectionId, from, to, sipIdentity, trunkId };
    this.#write(connectionId, 'connection identified', () => this.#known.add(known));
  }

  answered(connectionId: string): void {
    this.#write(connectionId, 'connection answered', () => this.#answers.add(connectionId));
  }

  ended(connectionId: string, endedUnixMs: number, reason: CallEndReason): void {
    const end = { connectionId, endTime: new Date(endedUnixMs), endReason: reason };
    this.#write(connectionId, 'connection ended', () => this.#ends.add(end));
  }

  /** What is kept of a connection's messages and media, after its end. */
  logged(connectionId: string, { messages, dropped, media }: LegLog): Promise<void> {
    const log = { connectionId, messages, dropped, media };
    const isShort = messages.length <= fewMessages;
    return this.#writes.add(connectionId, 'call log', () =>
      isShort ? this.#logs.add(log) : saveLegLogs(this.#db, [log]),
    );
  }

  #write(key: string, what: string, write: () => Promise<void>): void {
    void this.#writes.add(key, what, write);
  }
}
