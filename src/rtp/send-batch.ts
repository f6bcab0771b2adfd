export const maxDatagramBytes = 2048;

const chunkBytes = 64 * 1024;
/** A datagram begins at the next of these, so that a view of each of them is made once: one of a stream fits into it. */
const slotBytes = 256;
/** 16 MiB: more than a second of 1,000 streams, should the kernel take nothing, or the thread have stood still. */
const maxChunks = 256;
/** More than a tick of a busy worker has. */
const keptChunks = 16;
const keptDatagrams = (keptChunks * chunkBytes) / slotBytes;
/** This machine has no room for a datagram, whoever it is for: a socket's buffer is full, or the queue before it. */
export const overflowErrors = ['EAGAIN', 'ENOBUFS', 'ENOMEM'] as const;
/** As the system says it of its own buffers. */
export const noRoom = Object.assign(new Error('no room left to queue a datagram'), { code: 'ENOBUFS' });

/** Bytes of many datagrams; used again only after every one of them is done with. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** By slot, from its beginning on: what a reservation is. */
  readonly views: (Uint8Array | undefined)[];
  used: number;
  /** Datagrams queued or with the kernel: a send that would block reads its bytes later. */
  pending: number;
  /** To be called once for each datagram of this chunk; one closure for the chunk's life. */
  readonly done: (error: Error | null) => void;
}

export interface QueuedDatagram<Port> {
  port: Port;
  chunk: Chunk;
  offset: number;
  bytes: number;
  address: string;
  remotePort: number;
}

/** Where the datagrams of one tick wait for their sending. Reuses its memory: nothing grows while the kernel takes them. */
export class SendBatch<Port> {
  readonly #onDone: (error: Error | null) => void;
  readonly #chunks: Chunk[] = [];
  /** The first `#length` entries are this tick's, the others wait for reuse. */
  readonly #entries: QueuedDatagram<Port>[] = [];
  #length = 0;
  #waiting = 0;
  #drains = 0;
  #current: Chunk | undefined;
  #reserved: Chunk | undefined;

  /** `onDone` hears once of every committed datagram, with the error if it was not sent. */
  constructor(onDone: (error: Error | null) => void) {
    this.#onDone = onDone;
  }

  /** Datagrams that wait for `drain`. */
  get length(): number {
    return this.#length;
  }

  /** Datagrams that `drain` handed out and that are not done. */
  get waiting(): number {
    return this.#waiting;
  }

  /** @throws RangeError above `maxDatagramBytes` */
  reserve(maxBytes: number): Uint8Array {
    if (!(maxBytes >= 0 && maxBytes <= maxDatagramBytes))
      throw new RangeError(`a datagram of ${maxBytes} bytes was asked for, ${maxDatagramBytes} is the most`);
    if (!this.#current || this.#current.used + maxBytes > chunkBytes) this.#current = this.#freeChunk();
    this.#reserved = this.#current;
    if (!this.#reserved) return new Uint8Array(maxBytes);
    const { views, bytes, used } = this.#reserved;
    return (views[used / slotBytes] ??= bytes.subarray(used, used + maxDatagramBytes));
  }

  /** Queues the first `bytes` bytes of the last reservation. */
  commit(port: Port, bytes: number, address: string, remotePort: number): void {
    const chunk = this.#reserved;
    this.#reserved = undefined;
    if (!chunk) {
      this.#onDone(noRoom);
      return;
    }
    let entry = this.#entries[this.#length];
    if (!entry) {
      entry = { port, chunk, offset: 0, bytes, address, remotePort };
      this.#entries.push(entry);
    }
    entry.port = port;
    entry.chunk = chunk;
    entry.offset = chunk.used;
    entry.bytes = bytes;
    entry.address = address;
    entry.remotePort = remotePort;
    this.#length++;
    chunk.used += Math.ceil(bytes / slotBytes) * slotBytes;
    chunk.pending++;
  }

  /**
   * Hands every queued datagram out in order; whoever takes it calls its chunk's `done` once.
   * @param send with the number of this drain, and whether datagrams of an earlier one are not done
   */
  drain(send: (datagram: QueuedDatagram<Port>, drain: number, hasBacklog: boolean) => void): void {
    const length = this.#length;
    const hasBacklog = this.#waiting > 0;
    if (!hasBacklog && this.#chunks.length > keptChunks) this.#giveBack(length);
    const drain = ++this.#drains;
    this.#length = 0;
    this.#waiting += length;
    this.#current = undefined;
    this.#reserved = undefined;
    for (let i = 0; i < length; i++) send(this.#entries[i]!, drain, hasBacklog);
  }

  /** What a burst took. @param length datagrams that are queued */
  #giveBack(length: number): void {
    this.#chunks.length = keptChunks;
    this.#entries.length = Math.max(length, Math.min(this.#entries.length, keptDatagrams));
  }

  #freeChunk(): Chunk | undefined {
    const free = this.#chunks.find((chunk) => chunk.pending === 0 && chunk !== this.#current);
    if (free) {
      free.used = 0;
      return free;
    }
    if (this.#chunks.length === maxChunks) return undefined;
    const chunk: Chunk = {
      bytes: new Uint8Array(chunkBytes),
      views: [],
      used: 0,
      pending: 0,
      done: (error) => {
        chunk.pending--;
        this.#waiting--;
        this.#onDone(error);
      },
    };
    this.#chunks.push(chunk);
    return chunk;
  }
}
