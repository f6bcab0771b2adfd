import { isIPv6 } from 'node:net';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { ArrivalTimes, timestampControlBytes } from './arrival-times.ts';
import { type DatagramSender, DirectSender, type SendCounters } from './datagram-sender.ts';
import { FfiPort, type FfiPortOwner } from './ffi-port.ts';
import { errorName, type Libc, linux, type OpenedLibc, PinnedBytes } from './libc.ts';
import { MessageHeader } from './message-header.ts';
import type { PortRange } from './port-range.ts';
import { bindFreePort, judgeBindError } from './port-search.ts';
import { maxDatagramBytes } from './send-batch.ts';
import { portOf, SocketAddresses, socketAddressBytes } from './socket-address.ts';
import { TickLoop } from './tick-loop.ts';
import {
  type Datagram,
  type DatagramSink,
  type RtpTransport,
  type TransportCounters,
  type TransportPort,
  tickPeriodUs,
} from './transport.ts';
import { UringSender } from './uring-sender.ts';

export interface FfiTransportOptions {
  libc: OpenedLibc;
  clock: Clock;
  /** IPv4 or IPv6 address of this machine that the ports are bound to. */
  address: string;
  ports: PortRange;
  /** Where the search for a free port begins: an index below `count`; random, so that a port just freed rests. */
  startIndex?: (count: number) => number;
  /** False: as where the kernel lets us have none. */
  uring?: boolean;
}

export interface FfiTransportCounters extends TransportCounters {
  /** Received and given up: longer than a datagram may be, or of no source. */
  droppedDatagrams: number;
  /** Errors the system reported on a socket apart from a send. */
  socketErrors: number;
}

/** The system cuts this down to net.core.rmem_max. */
const receiveBufferBytes = 1 << 20;

/** Of one port in one tick; what it has beyond waits in its socket. Two seconds of a 20 ms stream. */
const maxPerPortAndTick = 128;

/** On a loaded machine even a datagram to ourselves may take a moment. */
const probeTimeoutMs = 1000;

const maxPort = 65_535;
const everywhere = '::';

/** `struct epoll_event` is packed on x64 alone. */
const eventWords = process.arch === 'x64' ? 3 : 4;
const eventSlotWord = eventWords - 2;
const eventTurnWord = eventWords - 1;
const firstEvents = 256;

/**
 * Linux by `node:ffi`: at each tick one epoll tells which sockets have something, and each is read once for every
 * datagram, without a callback, a Buffer or an object for it. What is committed goes out in batches by io_uring, or, where
 * the kernel does not let us (Docker's seccomp profile), one by one.
 */
export class FfiTransport implements RtpTransport, FfiPortOwner {
  readonly driver = 'ffi';
  readonly counters: FfiTransportCounters = {
    receivedPackets: 0,
    sentPackets: 0,
    failedSends: 0,
    lateTicks: 0,
    maxLatenessUs: 0,
    droppedDatagrams: 0,
    socketErrors: 0,
  };
  readonly addresses: SocketAddresses;
  readonly family: number;
  readonly sender: DatagramSender;
  /** Why datagrams are not sent by io_uring. */
  readonly note: string | undefined;
  readonly #options: FfiTransportOptions;
  readonly #libc: Libc;
  readonly #incoming: MessageHeader;
  /** A view of the received bytes for each length that came. */
  readonly #views: Uint8Array[] = [];
  readonly #arrivals: ArrivalTimes;
  readonly #datagram: Datagram;
  readonly #address: PinnedBytes;
  readonly #value: PinnedBytes;
  readonly #slots: (FfiPort | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #numbers = new Set<number>();
  #turn = 0;
  #events: PinnedBytes;
  #epoll: number;
  #loop: TickLoop | undefined;

  /** @throws CallreelError PORTS_EXHAUSTED */
  constructor(options: FfiTransportOptions) {
    const { ffi, libc } = options.libc;
    this.#options = options;
    this.#libc = libc;
    this.addresses = new SocketAddresses(options.libc);
    this.family = isIPv6(options.address) ? linux.AF_INET6 : linux.AF_INET;
    [this.sender, this.note] = openSender(options, this.counters);
    this.#incoming = new MessageHeader(ffi, new PinnedBytes(ffi, maxDatagramBytes), timestampControlBytes);
    this.#incoming.dataBytes = maxDatagramBytes;
    this.#arrivals = new ArrivalTimes(options.libc, options.clock);
    this.#datagram = { data: this.#view(0), arrivalUs: 0, sourceAddress: '', sourcePort: 0 };
    this.#address = new PinnedBytes(ffi, socketAddressBytes);
    this.#value = new PinnedBytes(ffi, 16);
    this.#events = new PinnedBytes(ffi, firstEvents * eventWords * 4);
    this.#epoll = libc.epoll_create1(linux.EPOLL_CLOEXEC);
    if (this.#epoll === -1) judgeBindError(errorName(libc.errno()), options.address);
  }

  /** @returns why it does not work here: a datagram sent to a port of ours does not come as it was sent */
  probe(): string | undefined {
    const sent = 'probe';
    let heard = '';
    const port = this.#bind(0, {
      receive: ({ data, sourcePort }) => {
        heard = `${Buffer.from(data).toString('latin1')} ${sourcePort}`;
      },
    });
    if (!port) return 'no port is free';
    port.reserve(sent.length).set(Buffer.from(sent, 'latin1'));
    port.commit(sent.length, this.#options.address, port.port);
    this.sender.flush();
    this.#libc.epoll_wait(this.#epoll, this.#events.pointer, 1, probeTimeoutMs);
    this.#receive();
    this.close(port);
    this.counters.receivedPackets = this.counters.sentPackets = 0;
    return heard === `${sent} ${port.port}` ? undefined : 'a datagram to ourselves did not arrive';
  }

  async open(sink: DatagramSink): Promise<TransportPort> {
    const { ports, startIndex } = this.#options;
    return await bindFreePort({
      ports,
      startIndex,
      isOurs: (number) => this.#numbers.has(number),
      bind: async (number) => this.#bind(number, sink),
      discard: async (port) => this.close(port),
    });
  }

  async openRtcp(rtp: TransportPort, sink: DatagramSink): Promise<TransportPort | undefined> {
    try {
      return rtp.port < maxPort && this.#epoll !== -1 ? this.#bind(rtp.port + 1, sink) : undefined;
    } catch (error) {
      if (error instanceof CallreelError) return undefined;
      throw error;
    }
  }

  run(...ticks: ((nowUs: number) => void)[]): void {
    if (this.#loop) throw new Error('the transport runs already');
    this.#loop = new TickLoop(this.#options.clock, tickPeriodUs, this.counters, {
      receive: () => this.#receive(),
      ticks,
      send: () => this.sender.flush(),
    });
  }

  async stop(): Promise<void> {
    this.#loop?.stop();
    for (const port of [...this.#slots]) if (port) this.close(port);
    if (this.#epoll === -1) return;
    this.sender.close();
    this.#libc.close(this.#epoll);
    this.#epoll = -1;
  }

  refused(): void {
    this.counters.failedSends++;
  }

  close(port: FfiPort): void {
    if (port.fd === -1) return;
    // What it committed is still sent.
    this.sender.flush();
    this.#libc.close(port.fd);
    port.fd = -1;
    this.#slots[port.slot] = undefined;
    this.#freeSlots.push(port.slot);
    this.#numbers.delete(port.port);
  }

  /**
   * Asks again after each round until nobody has anything: that costs less than to find each socket empty by reading
   * it, and a port that is flooded does not hold up the others.
   */
  #receive(): void {
    this.#arrivals.begin();
    for (let round = 0; round < maxPerPortAndTick; round++) {
      const events = this.#events;
      const { words } = events;
      const room = Math.floor(words.length / eventWords);
      const ready = this.#libc.epoll_wait(this.#epoll, events.pointer, room, 0);
      if (ready > room) throw new RangeError('epoll_wait wrote beyond its events');
      let taken = 0;
      for (let i = 0; i < ready; i++) {
        const port = this.#slots[words[i * eventWords + eventSlotWord]!];
        if (port?.turn === words[i * eventWords + eventTurnWord]! && this.#take(port)) taken++;
      }
      if (taken === 0) return;
    }
  }

  /** @returns whether a datagram was there */
  #take(port: FfiPort): boolean {
    const message = this.#incoming;
    message.nameBytes = socketAddressBytes;
    message.controlBytes = timestampControlBytes;
    const bytes = this.#libc.recvmsg(port.fd, message.pointer, linux.MSG_DONTWAIT);
    if (bytes < 0) {
      if (errorName(this.#libc.errno()) !== 'EAGAIN') this.counters.socketErrors++;
      return false;
    }
    if (
      bytes > maxDatagramBytes ||
      (message.flags & linux.MSG_TRUNC) !== 0 ||
      !port.cameFrom(message.nameWords, message.nameBytes)
    ) {
      this.counters.droppedDatagrams++;
      return true;
    }
    const datagram = this.#datagram;
    datagram.data = this.#views[bytes] ?? this.#view(bytes);
    datagram.arrivalUs = this.#arrivals.of(message);
    datagram.sourceAddress = port.sourceAddress;
    datagram.sourcePort = port.sourcePort;
    this.counters.receivedPackets++;
    port.sink.receive(datagram);
    return true;
  }

  #view(bytes: number): Uint8Array {
    return (this.#views[bytes] ??= this.#incoming.data.bytes.subarray(0, bytes));
  }

  /** @returns undefined when the port is taken */
  #bind(number: number, sink: DatagramSink): FfiPort | undefined {
    if (this.#epoll === -1) throw new CallreelError('DRAINING', 'the media transport was stopped');
    const libc = this.#libc;
    const fd = libc.socket(this.family, linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0);
    if (fd === -1) return this.#judge();
    try {
      this.#setOptions(fd);
      const port = this.#bindSocket(fd, number);
      return port === undefined ? this.#giveUp(fd) : this.#adopt(fd, port, sink);
    } catch (error) {
      libc.close(fd);
      throw error;
    }
  }

  #giveUp(fd: number): undefined {
    this.#libc.close(fd);
  }

  #judge(): undefined {
    return judgeBindError(errorName(this.#libc.errno()), this.#options.address);
  }

  #setOptions(fd: number): void {
    if (this.family === linux.AF_INET6) {
      const only = this.#options.address === everywhere ? 0 : 1;
      this.#setOption(fd, linux.IPPROTO_IPV6, linux.IPV6_V6ONLY, only);
    }
    this.#setOption(fd, linux.SOL_SOCKET, linux.SO_TIMESTAMPNS, 1);
    // The size the system gives is enough for one stream; the larger one only bridges a stall.
    this.#setOption(fd, linux.SOL_SOCKET, linux.SO_RCVBUF, receiveBufferBytes);
  }

  #setOption(fd: number, level: number, option: number, value: number): void {
    this.#value.words[0] = value;
    if (this.#libc.setsockopt(fd, level, option, this.#value.pointer, 4) === -1) this.counters.socketErrors++;
  }

  /** @returns the number it is bound to */
  #bindSocket(fd: number, number: number): number | undefined {
    const { address } = this.#options;
    const name = this.#address;
    const nameBytes = this.addresses.write(name.words, this.family, address, number);
    if (this.#libc.bind(fd, name.pointer, nameBytes) === -1) return this.#judge();
    if (number !== 0) return number;
    this.#value.words[0] = socketAddressBytes;
    if (this.#libc.getsockname(fd, name.pointer, this.#value.pointer) === -1) return this.#judge();
    return portOf(name.words);
  }

  #adopt(fd: number, port: number, sink: DatagramSink): FfiPort | undefined {
    const { ffi } = this.#options.libc;
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    const turn = (this.#turn = (this.#turn + 1) >>> 0);
    const { words, pointer } = this.#value;
    words[0] = linux.EPOLLIN;
    words[eventSlotWord] = slot;
    words[eventTurnWord] = turn;
    if (this.#libc.epoll_ctl(this.#epoll, linux.EPOLL_CTL_ADD, fd, pointer) === -1) {
      const error = errorName(this.#libc.errno());
      this.#freeSlots.push(slot);
      throw new CallreelError('PORTS_EXHAUSTED', `the system watches no more sockets (${error})`);
    }
    const opened = new FfiPort({ fd, port, slot, turn }, sink, this);
    this.#slots[slot] = opened;
    this.#numbers.add(port);
    const room = this.#events.words.length / eventWords;
    if (this.#slots.length > room) this.#events = new PinnedBytes(ffi, 2 * room * eventWords * 4);
    return opened;
  }
}

function openSender(
  { libc, uring = true }: FfiTransportOptions,
  counters: SendCounters,
): [DatagramSender, string | undefined] {
  try {
    if (!uring) throw new Error('no io_uring is wanted');
    return [new UringSender(libc, counters), undefined];
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return [new DirectSender(libc, counters), `datagrams are sent one by one: ${cause}`];
  }
}
