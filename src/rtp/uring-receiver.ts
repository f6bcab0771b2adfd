import { timestampControlBytes } from './arrival-times.ts';
import { type DatagramReceiver, type Handout, maxPerSocketAndTurn } from './datagram-receiver.ts';
import { EpollReceiver } from './epoll-receiver.ts';
import { type ExpectedPackets, rowWords } from './expected-packets.ts';
import type { FfiPort } from './ffi-port.ts';
import { linux, type OpenedLibc, PinnedBytes } from './libc.ts';
import { ProvidedBuffers } from './provided-buffers.ts';
import { maxDatagramBytes } from './send-batch.ts';
import { socketAddressBytes } from './socket-address.ts';
import { destinationControlBytes, portOfControl, type SteeredPorts } from './steered-ports.ts';
import { setup, submissionWords, Uring } from './uring.ts';

const entries = 256;
/** As many as there are buffers, and a few for requests that end. */
const completions = 1024;
const bufferCount = 256;

/**
 * What the kernel does, it does when we ask (`deferWork`), on this thread: nothing of ours changes between two calls, and
 * no datagram wakes the thread while it waits for its next turn.
 */
const flags = setup.submitAll | setup.flagWork | setup.singleIssuer | setup.deferWork;

const opRecvmsg = 10;
const opCancel = 14;
/** IOSQE_BUFFER_SELECT, IOSQE_CQE_SKIP_SUCCESS: in the second byte of a submission; IORING_RECV_MULTISHOT: in its third. */
const selectsBuffer = 1 << 13;
const skipsSuccess = 1 << 14;
const isMultishot = 1 << 17;
/** struct io_uring_sqe, by its words. */
const sqe = { operation: 0, fd: 1, address: 4, length: 6, userData: 8, group: 10 };
/** IORING_CQE_F_BUFFER, IORING_CQE_F_MORE */
const hasBuffer = 1;
const hasMore = 2;
/** User data of what is no socket's. */
const cancellation = 0xffff_ffff;

/** struct msghdr, by its words: only how much room the address and the control data have. */
const messageBytes = 56;
const message = { nameBytes: 2, controlBytes: 10 };
/** struct io_uring_recvmsg_out: how long address, control data and datagram are, and MSG_*; behind it they follow. */
const outWords = 4;
const nameAt = outWords;
const controlAt = nameAt + socketAddressBytes / 4;
const controlBytes = timestampControlBytes + destinationControlBytes;
const dataOffset = controlAt * 4 + controlBytes;
const bufferBytes = dataOffset + maxDatagramBytes;

/**
 * Each takes what waits in its socket, up to 32 datagrams at once: as many as there are buffers for. Requests beyond that
 * would end again at once.
 */
const maxStarvedPerRound = 8;

/** Rounds of which nothing came: what is left is for the next turn. */
const maxIdleRounds = 16;

/** Rounds of the kernel in which everything that is cancelled has ended. */
const maxEndingRounds = 1000;

const retired: UringReceiver[] = [];

/**
 * One request for each socket, which goes on for all that comes to it (`IORING_RECV_MULTISHOT`): the kernel puts each
 * datagram into a buffer of its own, with its source and its time, and tells of many at once. Where requests end by
 * themselves, for want of a buffer, say, what comes waits in the socket until the next one. A socket is closed when its
 * request has ended: until then the kernel holds it.
 */
export class UringReceiver implements DatagramReceiver {
  readonly #opened: OpenedLibc;
  readonly #handout: Handout;
  readonly #gaveUp: () => void;
  readonly #uring: Uring;
  readonly #buffers: ProvidedBuffers;
  readonly #message: PinnedBytes;
  /** Number of the next submission, modulo 2^32. */
  #next: number;
  /** These by the number of the socket: whose it is, that it has a request, what came in this turn. */
  readonly #ports: (FfiPort | undefined)[] = [];
  readonly #armed: boolean[] = [];
  #came = new Uint16Array(entries);
  /** And the row of `#expected` that what comes is offered to; 0: none. */
  #rows = new Int32Array(entries);
  #expected: ExpectedPackets | undefined;
  /** Whose datagrams one socket has that is none of them. */
  #steered: SteeredPorts | undefined;
  #steeredFd = -1;
  /** Sockets to be closed when their request has ended. */
  readonly #closing = new Map<number, () => void>();
  /** Sockets that have no request until the next turn, and those whose request ended for want of a buffer. */
  #resting: number[] = [];
  #starved: number[] = [];
  /** Takes over where the kernel lets us no more. */
  #instead: EpollReceiver | undefined;
  #isWorking = false;
  #isEnding = false;
  #isOver = false;

  /**
   * @param gaveUp it receives by epoll from now on
   * @throws Error where the kernel does not let us
   */
  constructor(opened: OpenedLibc, handout: Handout, gaveUp: () => void) {
    this.#gaveUp = gaveUp;
    const { ffi } = opened;
    this.#opened = opened;
    this.#handout = handout;
    this.#uring = new Uring(opened, entries, { completions, flags });
    try {
      this.#buffers = new ProvidedBuffers(ffi, this.#uring, bufferCount, bufferBytes);
    } catch (error) {
      this.#uring.close();
      throw error;
    }
    this.#next = this.#uring.taken;
    this.#message = new PinnedBytes(ffi, messageBytes);
    this.#message.words[message.nameBytes] = socketAddressBytes;
    this.#message.words[message.controlBytes] = controlBytes;
  }

  add(port: FfiPort, fd: number): string | undefined {
    if (this.#instead) return this.#instead.add(port, fd);
    if (fd >= this.#came.length) {
      const came = new Uint16Array(2 * fd);
      came.set(this.#came);
      this.#came = came;
      const rows = new Int32Array(2 * fd);
      rows.set(this.#rows);
      this.#rows = rows;
    }
    this.#ports[fd] = port;
    this.expects(port, fd);
    this.#arm(fd);
    return undefined;
  }

  /** Of one `ExpectedPackets`: the rows of others get nothing. */
  expects({ expected, row }: FfiPort, fd: number): void {
    this.#expected ??= expected;
    if (!this.#instead) this.#rows[fd] = expected === this.#expected ? row : 0;
  }

  /**
   * From now on this socket has what comes to `steered`.
   * @param flooded a port has had more in this turn than one may
   */
  takeSteered(fd: number, steered: SteeredPorts): void {
    this.#steered = steered;
    this.#steeredFd = fd;
    if (!this.#instead) this.#arm(fd);
  }

  catchUp(port: FfiPort): void {
    if (this.#instead) this.#instead.catchUp(port);
    else this.#gather();
  }

  receive(): void {
    if (this.#instead) {
      this.#instead.receive();
      return;
    }
    this.#came.fill(0);
    this.#steered?.begin();
    if (this.#resting.length > 0) {
      const resting = this.#resting;
      this.#resting = [];
      for (const fd of resting) this.#armAgain(fd);
    }
    this.#gather();
  }

  wait(timeoutMs: number): void {
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let ms = 0; ms < timeoutMs && !this.#instead; ms++) {
      if (this.#uring.hasWork || this.#next !== this.#uring.taken) return;
      Atomics.wait(pause, 0, 0, 1);
    }
    this.#instead?.wait(timeoutMs);
  }

  closeSocket(fd: number, closed: () => void): void {
    if (this.#instead) {
      this.#instead.closeSocket(fd, closed);
      return;
    }
    this.#ports[fd] = undefined;
    this.#rows[fd] = 0;
    if (this.#armed[fd]) {
      this.#closing.set(fd, closed);
      this.#cancel(fd);
    } else this.#close(fd, closed);
  }

  end(): void {
    this.#isEnding = true;
    for (let round = 0; this.#closing.size > 0 && !this.#instead && round < maxEndingRounds; round++)
      this.#work();
    if (this.#closing.size > 0) this.#giveUp();
    this.#isOver = true;
    if (this.#instead) this.#instead.end();
    // Whoever is being handed something at this moment, and ends it all, is still in its memory.
    else if (this.#isWorking) this.#uring.abandon();
    else this.#uring.close();
  }

  /**
   * Until nobody has anything; each round is some twenty sockets' (all of them, before Linux 6.13). The first one is done
   * whatever `hasWork` says: another processor sets it a moment behind what came.
   */
  #gather(): void {
    let isFirst = true;
    for (let idle = 0; idle < maxIdleRounds && !this.#instead && !this.#isOver; isFirst = false) {
      if (this.#starved.length > 0)
        for (const fd of this.#starved.splice(0, maxStarvedPerRound)) this.#armAgain(fd);
      const { taken } = this.#uring;
      const isDue = this.#next !== taken;
      if (!isFirst && !isDue && !this.#uring.hasWork) return;
      if (this.#work()) idle = 0;
      else idle++;
      if (isDue && !this.#isOver && this.#uring.taken === taken) this.#giveUp();
    }
  }

  /** @returns whether anything came of it */
  #work(): boolean {
    const isLet = this.#uring.enter(this.#next, true);
    let completed = 0;
    const wasWorking = this.#isWorking;
    this.#isWorking = true;
    try {
      for (; this.#uring.take(); completed++) this.#completed();
    } finally {
      this.#isWorking = wasWorking;
    }
    if (!isLet && !this.#isOver) this.#giveUp();
    return completed > 0;
  }

  #completed(): void {
    const { userData: fd, result, flags } = this.#uring;
    if (fd === cancellation) return;
    if ((flags & hasMore) === 0) this.#ended(fd, result);
    if ((flags & hasBuffer) === 0) return;
    const id = flags >>> 16;
    if (fd === this.#steeredFd) {
      this.#completedSteered(id, result);
      return;
    }
    const row = this.#rows[fd]!;
    try {
      if (row === 0 || !this.#offer(row, id, result)) this.#give(this.#ports[fd], id, result);
    } finally {
      this.#buffers.giveBack(id);
    }
    if (++this.#came[fd]! === maxPerSocketAndTurn && this.#armed[fd]) this.#cancel(fd);
  }

  #completedSteered(id: number, result: number): void {
    const steered = this.#steered!;
    const { words } = this.#buffers;
    const at = (id * bufferBytes) / 4;
    const number = portOfControl(words, at + controlAt, words[at + 1]!);
    const row = steered.row(number, this.#expected);
    try {
      if (row === 0 || !this.#offer(row, id, result)) this.#give(steered.port(number), id, result);
    } finally {
      this.#buffers.giveBack(id);
    }
    steered.came(number);
  }

  /** @returns whether it was what the row expects, and taken */
  #offer(row: number, id: number, bytes: number): boolean {
    const expected = this.#expected!;
    const { words } = this.#buffers;
    const at = (id * bufferBytes) / 4;
    const dataBytes = bytes - dataOffset;
    if (dataBytes !== expected.bytes(row) || (words[at + 3]! & linux.MSG_TRUNC) !== 0) return false;
    const data = this.#buffers.view(id, dataOffset, dataBytes);
    if (!expected.isNext(row, data) || !expected.isFrom(row, words, at + nameAt, words[at]!)) return false;
    const { arrivals, counters } = this.#handout;
    expected.arrivalsUs[row / rowWords] = arrivals.of(words, at + controlAt, words[at + 1]!);
    if (!expected.offer(row, data)) return false;
    counters.receivedPackets++;
    return true;
  }

  #give(port: FfiPort | undefined, id: number, bytes: number): void {
    if (!port) return;
    const { words } = this.#buffers;
    const at = (id * bufferBytes) / 4;
    const dataBytes = bytes - dataOffset;
    if (!(dataBytes >= 0) || (words[at + 3]! & linux.MSG_TRUNC) !== 0) {
      this.#handout.counters.droppedDatagrams++;
      return;
    }
    const data = this.#buffers.view(id, dataOffset, dataBytes);
    const [name, control] = [at + nameAt, at + controlAt];
    const datagram = this.#handout.take(port, data, words, name, words[at]!, control, words[at + 1]!);
    if (datagram) port.sink.receive(datagram);
  }

  #ended(fd: number, result: number): void {
    this.#armed[fd] = false;
    const closed = this.#closing.get(fd);
    if (closed) {
      this.#closing.delete(fd);
      this.#close(fd, closed);
      return;
    }
    if (fd === this.#steeredFd) {
      const isFault = result < 0 && result !== -linux.ENOBUFS;
      if (isFault) this.#handout.counters.socketErrors++;
      (isFault ? this.#resting : this.#starved).push(fd);
      return;
    }
    const isFault = result < 0 && result !== -linux.ENOBUFS && result !== -linux.ECANCELED;
    if (isFault) this.#handout.counters.socketErrors++;
    // What has a fault again and again, or is flooded, waits for the next turn.
    const rests = isFault || result === -linux.ECANCELED || ++this.#came[fd]! >= maxPerSocketAndTurn;
    (rests ? this.#resting : this.#starved).push(fd);
  }

  #armAgain(fd: number): void {
    // It may have been closed since, and another have its number.
    if ((this.#ports[fd] || fd === this.#steeredFd) && !this.#armed[fd]) this.#arm(fd);
  }

  #close(fd: number, closed: () => void): void {
    this.#opened.libc.close(fd);
    closed();
  }

  #arm(fd: number): void {
    this.#armed[fd] = true;
    const at = this.#submit(opRecvmsg | selectsBuffer | isMultishot, fd, fd);
    const { submissions } = this.#uring;
    const { pointer } = this.#message;
    submissions[at + sqe.address] = Number(pointer & 0xffff_ffffn);
    submissions[at + sqe.address + 1] = Number(pointer >> 32n);
    submissions[at + sqe.length] = 1;
    submissions[at + sqe.group] = this.#buffers.group;
  }

  #cancel(fd: number): void {
    const at = this.#submit(opCancel | skipsSuccess, -1, cancellation);
    this.#uring.submissions[at + sqe.address] = fd;
  }

  /** @returns where the submission lies, which goes out with the next round */
  #submit(operation: number, fd: number, userData: number): number {
    const { submissions } = this.#uring;
    if ((this.#next - this.#uring.taken) >>> 0 === entries && !this.#uring.enter(this.#next, false))
      this.#giveUp();
    const at = (this.#next & (entries - 1)) * submissionWords;
    this.#next = (this.#next + 1) >>> 0;
    submissions.fill(0, at, at + submissionWords);
    submissions[at + sqe.operation] = operation;
    submissions[at + sqe.fd] = fd;
    submissions[at + sqe.userData] = userData;
    return at;
  }

  /** What the kernel has it may still look at: that memory is neither written to nor let go of any more. */
  #giveUp(): void {
    if (this.#instead) return;
    retired.push(this);
    this.#uring.abandon();
    const instead = (this.#instead = new EpollReceiver(this.#opened, this.#handout));
    for (const [fd, port] of this.#ports.entries())
      if (port && instead.add(port, fd) !== undefined) this.#handout.counters.socketErrors++;
    for (const [fd, closed] of this.#closing) this.#close(fd, closed);
    this.#closing.clear();
    if (!this.#isEnding) this.#gaveUp();
  }
}
