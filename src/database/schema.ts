import type { ColumnType, Generated, Kysely, Selectable } from 'kysely';

/**
 * The tables as TypeScript sees them: camelCase here, snake_case in SQL. Everything carries the account it belongs to.
 * Identifiers are 16 hex digits (`ids.ts`).
 */
export interface Schema {
  applications: ApplicationTable;
  numbers: NumberTable;
  connections: ConnectionTable;
  conversations: ConversationTable;
  recordings: RecordingTable;
  channels: ChannelTable;
  events: EventTable;
  trunks: TrunkTable;
  dialPermissions: DialPermissionTable;
}

/** The database or a transaction of it: every query takes either. */
export type Db = Kysely<Schema>;

/** Written as a value, stored as jsonb. */
type Json = ColumnType<unknown, unknown, unknown>;

export interface ApplicationTable {
  appId: string;
  accountId: string;
  name: string;
  /** URL asked for a routine when a call comes in. */
  onIncoming: string | null;
  /** Used only when `onIncoming` is not set. */
  defaultRoutine: Json;
  /** Kept for its owner; nothing here runs it. */
  script: string | null;
  createdAt: Generated<Date>;
}

export interface NumberTable {
  /** E.164, or the user part of a SIP URI. */
  number: string;
  accountId: string;
  /** Null: the number is ours and free. */
  appId: string | null;
}

export type ConnectionStatus = 'connecting' | 'connected' | 'failed' | 'finished';

export interface ConnectionTable {
  connectionId: string;
  accountId: string;
  from: string;
  to: string;
  direction: 'incoming' | 'outgoing';
  status: ConnectionStatus;
  startTime: Date;
  endTime: Date | null;
  sipCallId: string | null;
}

export interface ConversationTable {
  conversationId: string;
  accountId: string;
  conferenceName: string | null;
  /** Whose application made it; names the format of its events. */
  dialect: string;
  status: 'active' | 'ended';
  startTime: Date;
  endTime: Date | null;
  durationMs: number | null;
  /** Each gets every event. */
  eventCallbacks: string[];
}

export interface RecordingTable {
  recordingId: string;
  conversationId: string;
  accountId: string;
  kind: string;
  state: 'recording' | 'ended';
  /** `EndReason` of the spool. */
  reason: string | null;
  rateHz: number;
  /** Positions on the room's clock, in samples at `rateHz`. */
  startSample: number;
  endSample: number | null;
  startedAt: Date;
  endedAt: Date | null;
  /** Recording key sealed by the master key, base64; null once the recording was erased. */
  sealedKey: string | null;
  spoolDir: string;
  /** Which node has the spool. */
  node: string;
}

export interface ChannelTable {
  /** The track's id: one stay of a connection in the room. */
  channelId: string;
  recordingId: string;
  conversationId: string;
  accountId: string;
  connectionId: string;
  from: string;
  to: string;
  direction: 'incoming' | 'outgoing';
  /** From the conversation's start. */
  startMs: number;
  endMs: number | null;
  durationMs: number | null;
  packets: number | null;
}

export interface EventTable {
  eventId: string;
  accountId: string;
  conversationId: string;
  /** Order of delivery inside a conversation. */
  sequence: Generated<number>;
  type: string;
  /** The body as the receiver gets it. */
  payload: Json;
  callbackUrl: string;
  createdAt: Date;
  deliveredAt: Date | null;
  /** Attempts of delivery since the event was written or replayed, and when that was. */
  attempts: Generated<number>;
  queuedAt: Date;
  lastError: string | null;
  deadAt: Date | null;
}

export interface TrunkRoute {
  /** `+` and the first digits of the numbers this trunk reaches; `+` alone for all. */
  prefix: string;
  /** The cheaper trunk is tried first; in any unit, the same for every trunk. */
  cost: number;
}

export interface TrunkTable {
  trunkId: string;
  accountId: string;
  /** Unique in the account. */
  name: string;
  /** Name or address of the peer. */
  host: string;
  /** Null: the transport's usual one, or what DNS says. */
  port: number | null;
  transport: 'udp' | 'tcp';
  username: string | null;
  /** Sealed by the master key (`auth/sealed-secret`). */
  sealedPassword: string | null;
  /** Shown to the called party instead of the caller's own. */
  fromNumber: string | null;
  routes: ColumnType<TrunkRoute[], unknown, unknown>;
  /** Networks in CIDR notation whose calls come from this trunk; none: the host itself, where it is an address. */
  sourceNetworks: string[];
  createdAt: Date;
}

export interface DialPermissionTable {
  accountId: string;
  /** `+` and digits, or `sip:` and a host name; the longest that fits decides. */
  prefix: string;
  allow: boolean;
}

export type Application = Selectable<ApplicationTable>;
export type Connection = Selectable<ConnectionTable>;
export type Conversation = Selectable<ConversationTable>;
export type Recording = Selectable<RecordingTable>;
export type Channel = Selectable<ChannelTable>;
export type Event = Selectable<EventTable>;
export type PhoneNumber = Selectable<NumberTable>;
export type Trunk = Selectable<TrunkTable>;
export type DialPermission = Selectable<DialPermissionTable>;
