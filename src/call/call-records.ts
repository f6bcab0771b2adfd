import {
  type CallFilter,
  countLegs,
  listLegLogs,
  listLegs,
  listRecordedStays,
  listRecordingsOfConnections,
  pageCalls,
  type RecordedStay,
} from '../database/calls.ts';
import type { Page, PageRequest } from '../database/page.ts';
import type { Connection, Db } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { CapturePlan } from '../render/call-capture.ts';
import type { CallLog } from './call-log.ts';
import type { LegMedia } from './leg-media.ts';
import type { LiveCalls } from './live-calls.ts';
import type { LoggedMessage, MessageEndpoint } from './message-log.ts';

export interface CallRecordsOptions {
  db: Db;
  calls: Pick<LiveCalls, 'conferenceOf' | 'settle'>;
  callLog: Pick<CallLog, 'of'>;
}

/** A connection that a call began with. */
export interface CallSummary {
  first: Connection;
  legs: number;
}

export interface CallLegRecord {
  connection: Connection;
  /** Null of a connection from before these were kept, or that a crash ended. */
  media: LegMedia | null;
  /** In recordings that ended. */
  stays: RecordedStay[];
}

/** A call with everything that is kept of it. */
export interface CallRecord {
  callId: string;
  /** The one it began with comes first. */
  legs: CallLegRecord[];
  /** Of all legs, in the order of time. */
  messages: (LoggedMessage & { connectionId: string })[];
  /** How many messages were not kept. */
  dropped: number;
}

interface KeptLog {
  messages: LoggedMessage[];
  dropped: number;
  media: LegMedia | null;
}

/** Calls as they stand: what runs from memory, what ended from the directory. */
export class CallRecords {
  readonly #options: CallRecordsOptions;

  constructor(options: CallRecordsOptions) {
    this.#options = options;
  }

  /** Latest first. */
  async page(accountId: string, request: PageRequest & { filter?: CallFilter }): Promise<Page<CallSummary>> {
    const { db } = this.#options;
    const { rows, ...cursors } = await pageCalls(db, accountId, request);
    const legs = await countLegs(
      db,
      rows.map(({ connectionId }) => connectionId),
    );
    return { ...cursors, rows: rows.map((first) => ({ first, legs: legs.get(first.connectionId) ?? 1 })) };
  }

  /** @param id of any of its legs @throws CallreelError NOT_FOUND */
  async get(accountId: string, id: string): Promise<CallRecord> {
    const { db } = this.#options;
    const connections = await this.#connections(accountId, id);
    const ids = connections.map(({ connectionId }) => connectionId);
    const logs = await this.#logs(connections);
    const stays = await listRecordedStays(db, ids);
    const legs = connections.map((connection) => ({
      connection,
      media: logs.get(connection.connectionId)?.media ?? null,
      stays: stays.filter(({ connectionId }) => connectionId === connection.connectionId),
    }));
    const messages = [...logs].flatMap(([connectionId, log]) =>
      log.messages.map((message) => ({ ...message, connectionId })),
    );
    let dropped = 0;
    for (const log of logs.values()) dropped += log.dropped;
    return {
      callId: connections[0]!.callId,
      legs,
      messages: messages.toSorted((a, b) => a.atUnixUs - b.atUnixUs),
      dropped,
    };
  }

  /** What a capture file of the call is made of; of a recording that runs, what is there by now. @throws as `get` */
  async capture(accountId: string, id: string): Promise<CapturePlan> {
    const { db, calls } = this.#options;
    const { legs, messages } = await this.get(accountId, id);
    const ids = legs.map(({ connection }) => connection.connectionId);
    const live = new Set<string>();
    for (const connectionId of ids) {
      const conversationId = calls.conferenceOf(connectionId)?.conversationId;
      if (conversationId !== undefined) live.add(conversationId);
    }
    for (const conversationId of live) await calls.settle(conversationId);
    const recordings = await listRecordingsOfConnections(db, ids, [...live]);
    return {
      messages: messages.map(({ atUnixUs, direction, local, remote, text }) =>
        direction === 'received'
          ? { atUnixUs, source: remote, target: local, text }
          : { atUnixUs, source: local, target: remote, text },
      ),
      legs: legs.map(({ connection, media }) => ({
        connectionId: connection.connectionId,
        source: media?.seen ?? media?.agreed.at(-1)?.remote ?? nowhere,
        target: media?.local ?? nowhere,
      })),
      recordings: recordings.map(({ conversationId, recordingId }) => ({ conversationId, recordingId })),
    };
  }

  async #connections(accountId: string, id: string): Promise<Connection[]> {
    const rows = await listLegs(this.#options.db, accountId, id);
    const [first] = rows;
    if (!first) throw new CallreelError('NOT_FOUND', 'there is no such call', { where: id });
    const isFirst = (row: Connection) => row.connectionId === first.callId;
    return [...rows.filter(isFirst), ...rows.filter((row) => !isFirst(row))];
  }

  async #logs(connections: readonly Connection[]): Promise<Map<string, KeptLog>> {
    const { db, callLog } = this.#options;
    // Memory first: a log is forgotten there only after it was written.
    const live = new Map(connections.map(({ connectionId }) => [connectionId, callLog.of(connectionId)]));
    const rows = await listLegLogs(
      db,
      connections.map(({ connectionId }) => connectionId),
    );
    const saved = new Map(rows.map((row) => [row.connectionId, row]));
    return new Map(
      connections.map(({ connectionId }) => {
        const row = saved.get(connectionId);
        const kept = {
          messages: (row?.messages ?? []) as LoggedMessage[],
          dropped: row?.dropped ?? 0,
          media: (row?.media ?? null) as LegMedia | null,
        };
        return [connectionId, live.get(connectionId) ?? kept];
      }),
    );
  }
}

const nowhere: MessageEndpoint = { address: '0.0.0.0', port: 9 };
