import {
  countFailedSend,
  type DatagramSender,
  DirectSender,
  FramedMessage,
  noAddress,
  type SendCounters,
  sendFlags,
  sendMessage,
} from './datagram-sender.ts';
import { linux, type OpenedLibc } from './libc.ts';
import { firstFlow, frameBytes, type SteeredFlows } from './steered-flows.ts';
import { submissionWords, Uring } from './uring.ts';

/** Few enough that their memory stays in the processor's cache. */
const entries = 64;

const retired: UringSender[] = [];

const opSendmsg = 9;
const opSend = 26;
/** struct io_uring_sqe, by its words. */
const sqe = {
  operation: 0,
  fd: 1,
  name: 2,
  address: 4,
  length: 6,
  messageFlags: 7,
  userData: 8,
  nameBytes: 11,
};

/**
 * Sends all that gathered in one call of the system. Each entry of the submission queue has a message and its bytes for
 * good, so that a datagram is told to the kernel by its socket, its address and its length; one that goes out by a
 * connected socket by its bytes alone.
 */
export class UringSender implements DatagramSender {
  readonly #opened: OpenedLibc;
  readonly #counters: SendCounters;
  readonly #gaveUp: () => void;
  readonly #uring: Uring;
  readonly #messages: FramedMessage[] = [];
  #flows: SteeredFlows | undefined;
  /** Number of the next submission, and of the first one that the kernel has not taken, modulo 2^32. */
  #next: number;
  #begin: number;
  /** Takes over where the kernel lets us no more. */
  #direct: DatagramSender | undefined;
  readonly #completed = (result: number, index: number): void => {
    if (result >= 0) this.#counters.sentPackets++;
    else if (result === -linux.ECONNREFUSED) this.#sendNow(index);
    else countFailedSend(this.#counters, -result);
  };

  /**
   * @param gaveUp it sends one by one from now on
   * @throws Error where the kernel does not let us
   */
  constructor(opened: OpenedLibc, counters: SendCounters, gaveUp: () => void) {
    this.#gaveUp = gaveUp;
    const { ffi } = opened;
    this.#opened = opened;
    this.#counters = counters;
    this.#uring = new Uring(opened, entries);
    this.#next = this.#begin = this.#uring.taken;
    const { submissions } = this.#uring;
    for (let i = 0; i < entries; i++) {
      this.#messages.push(new FramedMessage(ffi));
      const at = i * submissionWords;
      submissions.fill(0, at, at + submissionWords);
      submissions[at + sqe.messageFlags] = sendFlags;
      submissions[at + sqe.userData] = i;
    }
  }

  get bytes(): Uint8Array {
    return this.#direct?.bytes ?? this.#messages[this.#next & (entries - 1)]!.payload;
  }

  get flows(): SteeredFlows | undefined {
    return this.#flows;
  }

  set flows(flows: SteeredFlows | undefined) {
    this.#flows = flows;
    if (this.#direct) this.#direct.flows = flows;
  }

  sendConnected(socket: number, dataBytes: number): void {
    if (socket < firstFlow) this.send(socket, noAddress, 0, dataBytes);
    else if (this.#direct) this.#direct.sendConnected(socket, dataBytes);
    else {
      const message = this.#messages[this.#next & (entries - 1)]!;
      const raw = message.frame(this.#flows!, socket, dataBytes);
      this.#submit(opSend, raw, message.framePointerWords, frameBytes + dataBytes, message);
    }
  }

  send(fd: number, address: Uint32Array, addressBytes: number, dataBytes: number): void {
    if (this.#direct) {
      this.#direct.send(fd, address, addressBytes, dataBytes);
      return;
    }
    const message = this.#messages[this.#next & (entries - 1)]!;
    message.aim(address, addressBytes);
    message.setData(dataBytes);
    if (addressBytes === 0) this.#submit(opSend, fd, message.dataPointerWords, dataBytes);
    else this.#submit(opSendmsg, fd, message.pointerWords, 1);
  }

  /** @param to whose `sockaddr` `opSend` is told, which takes an address since Linux 6.1, as `UringReceiver` does */
  #submit(operation: number, fd: number, pointer: Uint32Array, length: number, to?: FramedMessage): void {
    const { submissions } = this.#uring;
    const at = (this.#next & (entries - 1)) * submissionWords;
    submissions[at + sqe.name] = to ? to.namePointerWords[0]! : 0;
    submissions[at + sqe.name + 1] = to ? to.namePointerWords[1]! : 0;
    submissions[at + sqe.nameBytes] = to ? to.nameBytes : 0;
    submissions[at + sqe.operation] = operation;
    submissions[at + sqe.fd] = fd;
    submissions[at + sqe.address] = pointer[0]!;
    submissions[at + sqe.address + 1] = pointer[1]!;
    submissions[at + sqe.length] = length;
    this.#next = (this.#next + 1) >>> 0;
    if ((this.#next - this.#begin) >>> 0 === entries) this.flush();
  }

  flush(): void {
    if (this.#next === this.#begin) return;
    if (!this.#uring.submit(this.#next, this.#completed)) this.#giveUp();
    this.#begin = this.#next;
  }

  close(): void {
    this.flush();
    this.#uring.close();
  }

  #sendNow(index: number): void {
    const { libc } = this.#opened;
    const fd = this.#uring.submissions[index * submissionWords + sqe.fd]!;
    if (sendMessage(libc, fd, this.#messages[index]!)) this.#counters.sentPackets++;
    else countFailedSend(this.#counters, libc.errno());
  }

  /** What the kernel took it may still look at: that memory is neither written to nor let go of any more. */
  #giveUp(): void {
    retired.push(this);
    for (let n = this.#uring.taken; n !== this.#next; n = (n + 1) >>> 0) this.#sendNow(n & (entries - 1));
    this.#direct = new DirectSender(this.#opened, this.#counters);
    this.#direct.flows = this.#flows;
    this.#gaveUp();
  }
}
