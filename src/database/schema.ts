import type { ColumnType, Generated, Kysely, Selectable } from 'kysely';
import type { AudioFileFormat } from '../container/audio-file.ts';
import type { ChannelFigures } from '../quality/channel-figures.ts';
import type { QualityFigures } from '../quality/quality-meter.ts';
import type { SipIdentity } from '../sip/caller-identity.ts';
import type { TranscriptTable } from './transcript-table.ts';

/**
 * The tables as TypeScript sees them: camelCase here, snake_case in SQL. Everything carries the account it belongs to.
 * Identifiers are 16 hex digits (`ids.ts`).
 */
export interface Schema {
  applications: ApplicationTable;
  numbers: NumberTable;
  connections: ConnectionTable;
  sipLogs: SipLogTable;
  conversations: ConversationTable;
  recordings: RecordingTable;
  channels: ChannelTable;
  deliveries: DeliveryTable;
  transcripts: TranscriptTable;
  events: EventTable;
  trunks: TrunkTable;
  dialPermissions: DialPermissionTable;
  idempotencyKeys: IdempotencyKeyTable;
  sinchCalls: SinchCallTable;
}

/** The database or a transaction of it: every query takes either. */
export type Db = Kysely<Schema>;

/** Written as a value, stored as jsonb. */
type Json = ColumnType<unknown, unknown, unknown>;

/** Whose language an application's documents are in. */
export type Dialect = 'sift' | 'signalwire' | 'sinch';

export interface ApplicationTable {
  appId: string;
  accountId: string;
  name: string;
  /** `sift` unless given. */
  dialect: ColumnType<Dialect, Dialect | undefined, never>;
  /** URL asked for a document when a call comes in. */
  onIncoming: string | null;
  /** Used only when `onIncoming` is not set. */
  defaultRoutine: Json;
  /** Kept for its owner; nothing here runs it. */
  script: string | null;
  /** Asked where `onIncoming` fails; of the dialects that have one. */
  fallbackUrl: ColumnType<string | null, string | null | undefined, string | null>;
  /** What signs its requests and ours, sealed by the master key (`auth/application-secret`). */
  sealedSecret: ColumnType<string | null, string | null | undefined, string | null>;
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
  /** What the INVITE said about the caller (`sip/caller-identity`). */
  sipIdentity: ColumnType<SipIdentity | null, unknown, unknown>;
  /** The trunk it came in or went out by; a trunk that was removed is still named here. */
  trunkId: ColumnType<string | null, string | null | undefined, string | null>;
  /** Why it ended, in nobody's dialect (`call/end-reason`). */
  endReason: ColumnType<string | null, never, string | null>;
  /** The call it is a leg of: the connection that the call began with. */
  callId: ColumnType<string, string, never>;
  /** What became of its media (`call/leg-media`); null until it ended. */
  media: ColumnType<unknown, never, unknown>;
  /** Of a call that the API placed. */
  clientState: ColumnType<ClientState | null, unknown, never>;
}

/** The SIP messages of a connection, some seconds after its end; goes with the connection. */
export interface SipLogTable {
  connectionId: string;
  /** As `call/message-log` has them. */
  messages: Json;
  /** How many messages were not kept. */
  dropped: number;
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
  state: 'waiting' | 'recording' | 'paused' | 'ended';
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
  /** What its starter wants to hear again. */
  clientState: ColumnType<ClientState | null, unknown, never>;
  /** Since when nothing of it is given out; the row stays. */
  erasedAt: ColumnType<Date | null, never, Date>;
  /** The call that it records by itself. */
  connectionId: ColumnType<string | null, string | null | undefined, never>;
  /** Its starter's name for it. */
  controlId: ColumnType<string | null, string | null | undefined, never>;
  /** What it was started with (`call/recording`, `RecordingWishes`). */
  wishes: ColumnType<unknown, unknown, never>;
  /** Who consented, when and how (`call/recording`, `GivenConsent`, a list). */
  consent: ColumnType<unknown, never, unknown>;
  /** What parties heard of the notice (`media/control`, `NoticeReport`, a list). */
  notices: ColumnType<unknown, never, unknown>;
  /** In samples at `rateHz`, pauses left out; null until it ended. */
  recordedSamples: ColumnType<number | null, never, number>;
  /** The key that ended it. */
  digit: ColumnType<string | null, never, string | null>;
  /** The file that is written along with it (`FileOrder`); null where none is, and once it was erased. */
  fileOrder: ColumnType<unknown, unknown, null>;
  /** Null before its end. */
  fileState: ColumnType<'written' | 'failed' | null, never, 'written' | 'failed' | null>;
  /** Where it is, once it is whole. */
  filePath: ColumnType<string | null, never, string | null>;
  /** Code of the error that it failed with. */
  fileReason: ColumnType<string | null, never, string | null>;
  /** Samples of a channel of its files, in the rate of the recording; null until it ended. */
  fileSamples: ColumnType<number | null, never, number>;
  /** Of the mix; null until it is measured, and once it was erased. */
  quality: ColumnType<QualityFigures | null, never, unknown>;
}

/** A text or an object of the client's own; nothing here reads it. */
export type ClientState = string | Record<string, unknown>;

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
  /** Who joined first has the lowest, within one recording; null in rows older than the column. */
  joinOrder: number | null;
  endMs: number | null;
  durationMs: number | null;
  packets: number | null;
  /** Not one packet of this party was recorded; null while it is not known. The database computes it. */
  noMedia: ColumnType<boolean | null, never, never>;
  /** The media worker's figures of this stay (`media/control`, `LegReport`); null where a crash lost them. */
  media: ColumnType<unknown, unknown, unknown>;
  /** As of the recording. */
  quality: ColumnType<ChannelFigures | null, never, unknown>;
}

export type DeliveryState = 'waiting' | 'uploading' | 'failing' | 'delivered' | 'dead' | 'abandoned';

/** A finished file on its way to where it was wanted; one for each recording that has a destination. */
export interface DeliveryTable {
  deliveryId: string;
  recordingId: string;
  conversationId: string;
  accountId: string;
  /** Which node has the spool. */
  node: string;
  /** As it was wanted. */
  url: string;
  /** These two stand in generated names. */
  applicationKey: string;
  /** Id of the call, or of the conference. */
  nameId: string;
  /** Full name of the object within its bucket, container or store; empty where the URL could not be read. */
  key: string;
  /** URL of the object, without credentials. */
  destination: string;
  /** The bucket, container or store: what works or does not as one. */
  place: string;
  /** What recordings that would be given one name have in common, and which of them it is; null for names of users. */
  nameGroup: string | null;
  ordinal: number | null;
  /** About `credentialsAbout` of the row (`delivery/credential-seal`); null once they are not needed. */
  sealedCredentials: string | null;
  format: AudioFileFormat;
  stereo: boolean;
  state: DeliveryState;
  createdAt: Date;
  /** Since when it is tried: the end of the recording, or "deliver again". */
  queuedAt: Date | null;
  /** Since `queuedAt`. */
  attempts: number;
  /** When there is something to do for it: the next try, or cleaning up. */
  nextAttemptAt: Date | null;
  /** `delivery/kept-upload`; null where nothing is under way. */
  upload: Json;
  /** Of the last try that failed, since `queuedAt`: our code, and the storage's own words. */
  errorCode: string | null;
  errorMessage: string | null;
  bytes: number | null;
  deliveredAt: Date | null;
  /** Of our own store: which delivery's object was removed since. */
  removedAt: ColumnType<Date | null, never, Date>;
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
  /** Whose receiver it is, where that has signatures of its own. */
  dialect: ColumnType<string | null, string | undefined, never>;
  /** Where it goes when `callbackUrl` does not take it. */
  fallbackUrl: ColumnType<string | null, string | null | undefined, never>;
  /** Whose secret signs it, in dialects whose applications have one each. */
  signer: ColumnType<string | null, string | null | undefined, never>;
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

export interface TrunkGateway {
  host: string;
  port: number | null;
}

/** How a trunk wants its messages written; what is not there is usual. */
export interface TrunkOptions {
  fromUser?: string;
  fromDomain?: string;
  /** Where the caller's number stands beside From. */
  callerId?: 'from' | 'p-asserted-identity' | 'remote-party-id';
  /** Whether the caller's number is kept from the called party: when its caller asked for it, always, or never. */
  privacy?: 'asked' | 'always' | 'never';
  /** The trunk's word about who calls is believed. */
  trustIdentity?: boolean;
  numberForm?: 'plus' | 'digits' | '00' | 'national';
  /** ISO 3166-1 or calling code: whose national numbers the trunk speaks of. */
  country?: string;
  dialPrefix?: string;
  /** Offered, in this order. */
  codecs?: ('PCMU' | 'PCMA' | 'G722' | 'OPUS')[];
  srtp?: 'off' | 'optional' | 'required';
  /** Of a TLS peer: its certificate must be valid for its name. */
  tlsVerify?: boolean;
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
  transport: 'udp' | 'tcp' | 'tls';
  username: string | null;
  /** Sealed by the master key (`auth/sealed-secret`). */
  sealedPassword: string | null;
  /** Shown to the called party instead of the caller's own. */
  fromNumber: string | null;
  routes: ColumnType<TrunkRoute[], unknown, unknown>;
  /** Networks in CIDR notation whose calls come from this trunk; none: the host itself, where it is an address. */
  sourceNetworks: string[];
  createdAt: Date;
  /** Tried after `host`, in this order. */
  gateways: ColumnType<TrunkGateway[], unknown, unknown>;
  /** `host` or `host:port`: requests go there instead. */
  outboundProxy: ColumnType<string | null, string | null | undefined, string | null>;
  registers: Generated<boolean>;
  /** Where to register, when it is not `host`; the domain of the address of record. */
  registrar: ColumnType<string | null, string | null | undefined, string | null>;
  /** User part of the Contact that is registered, when it is not the trunk's id. */
  contactUser: ColumnType<string | null, string | null | undefined, string | null>;
  /** Of trunks that cost the same the higher one is tried first. */
  priority: Generated<number>;
  options: ColumnType<TrunkOptions, unknown, unknown>;
}

export interface DialPermissionTable {
  accountId: string;
  /** `+` and digits, or `sip:` and a host name; the longest that fits decides. */
  prefix: string;
  allow: boolean;
}

/** Requests that must not be done twice, and what they were answered. */
export interface IdempotencyKeyTable {
  accountId: string;
  /** The client's key and the request, as digests under a key of ours. */
  keyDigest: string;
  requestDigest: string;
  state: 'running' | 'done';
  /** Which try has it. */
  owner: string;
  /** A running one whose lease is over was interrupted. */
  leaseUntil: Date;
  expiresAt: Date;
  /** Of the answer, once it is done. */
  status: ColumnType<number | null, number | null | undefined, number | null>;
  /** Its body, sealed by the master key. */
  sealedAnswer: ColumnType<string | null, string | null | undefined, string | null>;
}

/** A call as an application of Sinch's dialect is told of it (`dialects/sinch/callback-bodies`). */
export interface SinchCallTable {
  /** The connection it began with. */
  callId: string;
  accountId: string;
  applicationKey: string;
  from: Json;
  to: Json;
  domain: string;
  custom: string;
  startedAt: Date;
  answeredAt: Date | null;
  endedAt: Date | null;
  result: string | null;
  reason: string | null;
}

export type Application = Selectable<ApplicationTable>;
export type Connection = Selectable<ConnectionTable>;
export type SipLog = Selectable<SipLogTable>;
export type Conversation = Selectable<ConversationTable>;
export type Recording = Selectable<RecordingTable>;
export type Channel = Selectable<ChannelTable>;
export type Delivery = Selectable<DeliveryTable>;
export type Event = Selectable<EventTable>;
export type PhoneNumber = Selectable<NumberTable>;
export type Trunk = Selectable<TrunkTable>;
export type DialPermission = Selectable<DialPermissionTable>;
export type SinchCall = Selectable<SinchCallTable>;
export type IdempotencyKey = Selectable<IdempotencyKeyTable>;
