import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { ArrivalTimes, timestampControlBytes } from './arrival-times.ts';
import { ConnectedPeers } from './connected-peers.ts';
import { type DatagramSender, DirectSender, type SendCounters } from './datagram-sender.ts';
import { Epoll } from './epoll.ts';
import { FfiPort, type FfiPortOwner } from './ffi-port.ts';
import { errorName, type Libc, linux, type OpenedLibc, PinnedBytes } from './libc.ts';
import { MessageHeader } from './message-header.ts';
import type { PortRange } from './port-range.ts';
import { bindFreePort, judgeBindError } from './port-search.ts';
import { maxDatagramBytes } from './send-batch.ts';
import { SocketAddresses, socketAddressBytes } from './socket-address.ts';
import { TickLoop } from './tick-loop.ts';
import {
  type Datagram,
  type DatagramSink,
  type RtpTransport,
  type TransportCounters,
  type TransportPort,
  tickPeriodUs,
} from './transport.ts';
import { TransportProbe } from './transport-probe.ts';
import { UdpSockets } from './udp-sockets.ts';
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
  /** False: no socket is connected to a steady peer. */
  connect?: boolean;
}

export interface FfiTransportCounters extends TransportCounters {
  /** Received and given up: longer than a datagram may be, or of no source. */
  droppedDatagrams: number;
  /** Errors the system reported on a socket apart from a send. */
  socketErrors: number;
}

/** Of one port in one tick; what it has beyond waits in its socket. Two seconds of a 20 ms stream. */
const maxPerPortAndTick = 128;

/** On a loaded machine even a datagram to ourselves may take a moment. */
const probeTimeoutMs = 1000;

const maxPort = 65_535;

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
  readonly sender: DatagramSender;
  /** What there is better that does not work here. */
  note: string | undefined;
  readonly #options: FfiTransportOptions;
  readonly #libc: Libc;
  readonly #incoming: MessageHeader;
  /** A view of the received bytes for each length that came. */
  readonly #views: Uint8Array[] = [];
  readonly #arrivals: ArrivalTimes;
  readonly #datagram: Datagram;
  readonly #sockets: UdpSockets;
  readonly #epoll: Epoll;
  readonly #peers: ConnectedPeers;
  readonly #slots: (FfiPort | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #numbers = new Set<number>();
  readonly #takeFrom = (port: FfiPort, fd: number): boolean => this.#take(port, fd);
  #turn = 0;
  #stopped = false;
  #loop: TickLoop | undefined;

  /** @throws Error where the system does not let us */
  constructor(options: FfiTransportOptions) {
    const { ffi, libc } = options.libc;
    this.#options = options;
    this.#libc = libc;
    this.addresses = new SocketAddresses(options.libc);
    this.#sockets = new UdpSockets(options.libc, options.address, this.addresses);
    this.#epoll = new Epoll(options.libc);
    this.#peers = new ConnectedPeers(this.#sockets, this.#epoll);
    this.#peers.isWanted = options.connect ?? true;
    [this.sender, this.note] = openSender(options, this.counters);
    this.#incoming = new MessageHeader(ffi, new PinnedBytes(ffi, maxDatagramBytes), timestampControlBytes);
    this.#incoming.dataBytes = maxDatagramBytes;
    this.#arrivals = new ArrivalTimes(options.libc, options.clock);
    this.#datagram = { data: this.#view(0), arrivalUs: 0, sourceAddress: '', sourcePort: 0 };
  }

  /** @returns why it does not work here: a datagram sent to a port of ours does not come as it was sent */
  probe(): string | undefined {
    const probe = new TransportProbe(this.#options.address, {
      open: (sink) => this.#bind(0, sink),
      exchange: () => {
        this.sender.flush();
        this.#epoll.wait(probeTimeoutMs);
        this.#receive();
      },
    });
    const problem = probe.run();
    if (problem === undefined && this.#peers.isWanted) this.#peers.isWanted = probe.runConnected();
    for (const port of probe.ports) this.close(port);
    this.counters.receivedPackets = this.counters.sentPackets = this.counters.failedSends = 0;
    if (problem === undefined && !this.#peers.isWanted && this.#options.connect !== false)
      this.note = [this.note, 'no socket is connected to its peer: others were not heard']
        .filter(Boolean)
        .join('; ');
    return problem;
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
      return rtp.port < maxPort && !this.#stopped ? this.#bind(rtp.port + 1, sink) : undefined;
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
    if (this.#stopped) return;
    this.#stopped = true;
    this.sender.close();
    this.#epoll.close();
  }

  get family(): number {
    return this.#sockets.family;
  }

  refused(): void {
    this.counters.failedSends++;
  }

  steady(port: FfiPort): void {
    this.#peers.add(port);
  }

  close(port: FfiPort): void {
    if (port.fd === -1) return;
    // What it committed is still sent.
    this.sender.flush();
    this.#sockets.close(port.fd);
    if (port.peerFd !== -1) this.#sockets.close(port.peerFd);
    port.fd = port.peerFd = -1;
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
    this.#peers.connectSome(this.#takeFrom);
    for (let round = 0; round < maxPerPortAndTick && !this.#stopped; round++) {
      const ready = this.#epoll.wait();
      let taken = 0;
      for (let i = 0; i < ready; i++) {
        const key = this.#epoll.keyOf(i);
        const port = this.#slots[key >> 1];
        // Another one may have its place by now.
        if (port?.turn !== this.#epoll.turnOf(i)) continue;
        if (this.#take(port, (key & 1) === 0 ? port.fd : port.peerFd)) taken++;
      }
      if (taken === 0) return;
    }
  }

  /** @returns whether a datagram was there */
  #take(port: FfiPort, fd: number): boolean {
    const message = this.#incoming;
    message.nameBytes = socketAddressBytes;
    message.controlBytes = timestampControlBytes;
    const bytes = this.#libc.recvmsg(fd, message.pointer, linux.MSG_DONTWAIT);
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
    if (this.#stopped) throw new CallreelError('DRAINING', 'the media transport was stopped');
    const socket = this.#sockets.bind(number);
    if (!socket) return undefined;
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    const turn = (this.#turn = (this.#turn + 1) >>> 0);
    const port = new FfiPort({ ...socket, slot, turn }, sink, this);
    this.#slots[slot] = port;
    this.#numbers.add(port.port);
    this.#epoll.makeRoom(this.#slots.length);
    const error = this.#epoll.add(port.fd, port.key, turn);
    if (error === undefined) return port;
    this.close(port);
    return judgeBindError(error, this.#options.address);
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
