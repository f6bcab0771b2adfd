import { headerKey } from './message.ts';
import { parserLimits } from './parser.ts';
import { parseDecimal } from './scan.ts';

export interface FramerEvents {
  message(bytes: Buffer): void;
  /** A double CRLF between messages (RFC 5626 section 4.4.1); answer it with a single one. */
  ping(): void;
  /** The answer to a ping of ours. */
  pong(): void;
}

const headEnd = Buffer.from('\r\n\r\n');

/**
 * Cuts a byte stream into messages by their Content-Length (RFC 3261 section 18.3). After a message whose length is
 * not known the stream cannot be followed: `push` then says so and the connection must be closed.
 */
export class StreamFramer {
  readonly #events: FramerEvents;
  #buffer: Buffer = Buffer.alloc(0);
  /** Bytes of `#buffer` already searched for the end of the headers. */
  #searched = 0;
  /** Length of the message that has begun; undefined until all of its headers are there. */
  #total: number | undefined;
  #broken = false;
  #pongDue = false;

  constructor(events: FramerEvents) {
    this.#events = events;
  }

  /** A message has begun and not ended. Line breaks that wait for their second half are no message. */
  get unfinished(): boolean {
    return this.#buffer.length > 0 && this.#buffer[0] !== 0x0d;
  }

  /** We have sent a ping: the next single CRLF is its pong. Otherwise it is the first half of a ping of the peer. */
  expectPong(): void {
    this.#pongDue = true;
  }

  /** @returns false when the stream is beyond repair; what was readable has been handed out as a message */
  push(chunk: Buffer): boolean {
    if (this.#broken) return false;
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length > 0 && this.#next());
    return !this.#broken;
  }

  /** Takes one ping or message off the buffer; false when more bytes are needed. */
  #next(): boolean {
    if (this.#buffer[0] === 0x0d) return this.#skipLineBreaks();
    this.#total ??= this.#readHead();
    if (this.#total === undefined || this.#buffer.length < this.#total) return false;
    this.#take(this.#total);
    return true;
  }

  /** Once for each message, however small the pieces that its body comes in. */
  #readHead(): number | undefined {
    const head = this.#buffer.indexOf(headEnd, Math.max(this.#searched - 3, 0));
    if (head < 0) {
      this.#searched = this.#buffer.length;
      if (this.#buffer.length > parserLimits.messageBytes) this.#break(this.#buffer.length);
      return undefined;
    }
    const length = contentLength(this.#buffer.toString('latin1', 0, head));
    const total = head + 4 + (length ?? 0);
    if (length !== undefined && total <= parserLimits.messageBytes) return total;
    this.#break(head + 4);
    return undefined;
  }

  #skipLineBreaks(): boolean {
    if (this.#buffer.length < 2) return false;
    if (this.#buffer[1] !== 0x0a) return this.#break(this.#buffer.length);
    if (this.#pongDue) {
      this.#pongDue = false;
      this.#buffer = this.#buffer.subarray(2);
      this.#events.pong();
      return true;
    }
    if (this.#buffer.length >= 4 && this.#buffer[2] === 0x0d && this.#buffer[3] === 0x0a) {
      this.#buffer = this.#buffer.subarray(4);
      this.#events.ping();
      return true;
    }
    // A single CRLF may be the first half of a ping.
    if (this.#buffer.length === 2 || (this.#buffer.length === 3 && this.#buffer[2] === 0x0d)) return false;
    this.#buffer = this.#buffer.subarray(2);
    return true;
  }

  #take(total: number): void {
    const message = this.#buffer.subarray(0, total);
    this.#buffer = this.#buffer.subarray(total);
    this.#searched = 0;
    this.#total = undefined;
    this.#events.message(message);
  }

  #break(handOut: number): false {
    this.#broken = true;
    this.#take(handOut);
    this.#buffer = Buffer.alloc(0);
    return false;
  }
}

/** Undefined where it is missing, repeated or no number: the parser then refuses the head with the same reason. */
function contentLength(head: string): number | undefined {
  let length: number | undefined;
  for (let at = head.indexOf('\r\n'); at >= 0; at = head.indexOf('\r\n', at + 2)) {
    const first = head.charCodeAt(at + 2) | 0x20;
    // Only `Content-Length` and its compact form `l` are looked at closer.
    if (first !== 0x63 && first !== 0x6c) continue;
    const end = head.indexOf('\r\n', at + 2);
    const line = head.slice(at + 2, end < 0 ? head.length : end);
    const colon = line.indexOf(':');
    if (colon < 0 || headerKey(line.slice(0, colon).trimEnd()) !== 'content-length') continue;
    if (length !== undefined) return undefined;
    length = parseDecimal(line.slice(colon + 1).trim(), parserLimits.messageBytes);
    if (length === undefined) return undefined;
  }
  return length;
}
