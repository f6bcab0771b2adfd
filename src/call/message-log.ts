import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type MessageOutline, outlineMessage } from '../sip/message-outline.ts';
import type { TapDirection } from '../sip/message-tap.ts';
import { redactMessage } from '../sip/redact-message.ts';
import type { Flow, TransportName } from '../sip/transport.ts';

export interface MessageEndpoint {
  address: string;
  port: number;
}

/** One SIP message of a call, as it may be kept: redacted, and cut where it is long. Plain data. */
export interface LoggedMessage {
  /** Unix microseconds. */
  atUnixUs: number;
  direction: TapDirection;
  transport: TransportName;
  /** Ours, as the peer is told it. */
  local: MessageEndpoint;
  remote: MessageEndpoint;
  /** Of a response, that of its CSeq. */
  method: string;
  /** Undefined for a request. */
  status?: number | undefined;
  reason?: string | undefined;
  sequence: number;
  /** The same message went the same way before. */
  retransmission: boolean;
  text: string;
  /** How many characters of the redacted message are missing at the end of `text`. */
  leftOff: number;
}

interface Entry {
  message: LoggedMessage;
  transmissionKey: string;
}

export const messageLimits = {
  /** Kept of one call: the first half, and the latest. */
  messages: 200,
  /** Kept of one message. */
  characters: 8192,
} as const;

const maxReason = 128;
/** What a message takes beside its text. */
const overhead = 400;

/** A few messages take little memory meanwhile, and little time; by themselves 16 kB of each would wait as garbage. */
const packing = { level: 1, windowBits: 13, memLevel: 6, chunkSize: 2048 } as const;
/** What is more is packed for too long at once. */
const mostPackedCharacters = 1 << 16;

/**
 * The messages of one Call-ID. What comes behind those that are packed lies beside them: a call ends by a message, often
 * with many others, and nobody wants its log then.
 */
export class MessageLog {
  /** Those behind `#packed`. */
  #entries: Entry[] = [];
  #characters = 0;
  /** The first of them, a byte a character: strings lie closer in the heap than buffers beside it. */
  #packed: string | undefined;
  #packedEntries = 0;
  /** What they take unpacked. */
  #packedCharacters = 0;
  #dropped = 0;

  get messages(): LoggedMessage[] {
    return this.#all().map(({ message }) => message);
  }

  /** How many were not kept. */
  get dropped(): number {
    return this.#dropped;
  }

  /** What it holds, about. */
  get characters(): number {
    return (this.#packed?.length ?? 0) + this.#characters;
  }

  /** A message that there is no room for. */
  drop(): void {
    this.#dropped++;
  }

  add(outline: MessageOutline, message: LoggedMessage): void {
    const transmissionKey = `${message.direction} ${outline.transmissionKey}`;
    const retransmission = this.#entries.some((entry) => entry.transmissionKey === transmissionKey);
    this.#entries.push({ message: { ...message, retransmission }, transmissionKey });
    this.#characters += message.text.length + overhead;
    if (this.#packedEntries + this.#entries.length <= messageLimits.messages) return;
    this.#unpack();
    // How a call began says the most about it, then how it ended.
    const [removed] = this.#entries.splice(messageLimits.messages / 2, 1);
    this.#characters -= (removed?.message.text.length ?? 0) + overhead;
    this.#dropped++;
  }

  /** It takes an eighth of the memory until the next message: none is awaited for long. */
  pack(): void {
    if (this.#entries.length === 0) return;
    if (this.#packedCharacters + this.#characters > mostPackedCharacters) return;
    this.#unpack();
    this.#packed = deflateRawSync(JSON.stringify(this.#entries), packing).toString('latin1');
    this.#packedEntries = this.#entries.length;
    this.#packedCharacters = this.#characters;
    this.#entries = [];
    this.#characters = 0;
  }

  #unpack(): void {
    this.#entries = this.#all();
    this.#characters += this.#packedCharacters;
    this.#packed = undefined;
    this.#packedEntries = 0;
    this.#packedCharacters = 0;
  }

  #all(): Entry[] {
    if (this.#packed === undefined) return this.#entries;
    const packed = JSON.parse(inflateRawSync(Buffer.from(this.#packed, 'latin1')).toString()) as Entry[];
    const keys = new Set(packed.map(({ transmissionKey }) => transmissionKey));
    const behind = this.#entries.map(({ message, transmissionKey }) => ({
      message: { ...message, retransmission: message.retransmission || keys.has(transmissionKey) },
      transmissionKey,
    }));
    return [...packed, ...behind];
  }
}

/** What a socket got or gives, as far as it is a message of some call; its text is not redacted yet. */
export interface TappedMessage {
  outline: MessageOutline;
  text: string;
}

export function readTapped(bytes: Uint8Array): TappedMessage | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const outline = outlineMessage(text);
  return outline && { outline, text };
}

/** PostgreSQL's jsonb takes no NUL and no half of a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

/**
 * The one place where a message becomes what is kept, shown and exported: whatever must not be seen of it is taken out
 * here.
 */
export function toLogged(
  { outline, text }: TappedMessage,
  direction: TapDirection,
  { transport, remote, local }: Pick<Flow, 'transport' | 'remote' | 'local'>,
  atUnixUs: number,
): LoggedMessage {
  const redacted = redactMessage(text, outline);
  const { status, reason } = outline;
  return {
    atUnixUs,
    direction,
    transport,
    local: { address: local.host, port: local.port },
    remote: { address: remote.address, port: remote.port },
    method: storable(outline.method),
    ...(status !== undefined && { status, reason: storable(reason.slice(0, maxReason)) }),
    sequence: outline.sequence,
    retransmission: false,
    text: storable(redacted.slice(0, messageLimits.characters)),
    leftOff: Math.max(0, redacted.length - messageLimits.characters),
  };
}
