import { type Clock, systemClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { ArrivalTimes } from './arrival-times.ts';
import { ConnectedPeers } from './connected-peers.ts';
import { type DatagramReceiver, Handout } from './datagram-receiver.ts';
import { type DatagramSender, DirectSender, type SendCounters } from './datagram-sender.ts';
import { EpollReceiver } from './epoll-receiver.ts';
import { FfiPort, type FfiPortOwner } from './ffi-port.ts';
import type { OpenedLibc } from './libc.ts';
import type { PortRange } from './port-range.ts';
import { bindFreePort, judgeBindError } from './port-search.ts';
import { SocketAddresses } from './socket-address.ts';
import { SteeredPorts } from './steered-ports.ts';
import { Steering } from './steering.ts';
import { ThreadSleep } from './thread-sleep.ts';
import { TickLoop } from './tick-loop.ts';
import {
  type DatagramSink,
  type MayStay,
  type RtpTransport,
  type TransportCounters,
  type TransportPort,
  tickPeriodUs,
} from './transport.ts';
import { TransportProbe } from './transport-probe.ts';
import { UdpSockets } from './udp-sockets.ts';
import { UringReceiver } from './uring-receiver.ts';
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
  /** False: datagrams are received by epoll. */
  multishot?: boolean;
  /** What comes of steady peers is steered to one socket, where the kernel lets us (`steering.ts`). */
  steer?: boolean;
  /** False: no socket is connected to a steady peer. */
  connect?: boolean;
  mayStay?: MayStay;
}

/** On a loaded machine even a datagram to ourselves may take a moment. */
const probeTimeoutMs = 1000;

const maxPort = 65_535;

const sentOneByOne = 'datagrams are sent one by one: ';
const receivedOneByOne = 'datagrams are received one by one: ';
const takesNoMore = 'io_uring takes no more';

/**
 * Linux by `node:ffi`, without a callback, a Buffer or an object for a datagram. What comes in is taken at each tick from
 * requests of an io_uring that go on by themselves, and what is committed goes out in batches by another one; or, where
 * the kernel does not let us (Docker's seccomp profile), by epoll, and one by one.
 */
export class FfiTransport implements RtpTransport, FfiPortOwner {
  readonly driver = 'ffi';
  readonly counters: TransportCounters = {
    receivedPackets: 0,
    sentPackets: 0,
    failedSends: 0,
    sendOverflows: 0,
    lateTicks: 0,
    maxLatenessUs: 0,
    droppedDatagrams: 0,
    socketErrors: 0,
  };
  readonly addresses: SocketAddresses;
  readonly sender: DatagramSender;
  note: string | undefined;
  readonly #options: FfiTransportOptions;
  readonly #arrivals: ArrivalTimes;
  readonly #handout: Handout;
  readonly #sockets: UdpSockets;
  readonly #peers: ConnectedPeers;
  readonly #steered: SteeredPorts;
  #receiver: DatagramReceiver;
  readonly #ports = new Set<FfiPort>();
  /** Of these and of those whose sockets the system has not let go of. */
  readonly #numbers = new Set<number>();
  #whyNotSteered: string | undefined;
  #stopped = false;
  #loop: TickLoop | undefined;

  /** @throws Error where the system does not let us */
  constructor(options: FfiTransportOptions) {
    this.#options = options;
    this.addresses = new SocketAddresses(options.libc);
    this.#sockets = new UdpSockets(options.libc, options.address, this.addresses);
    this.#steered = new SteeredPorts((port) => this.#peers.release(port));
    this.#peers = new ConnectedPeers(this.#sockets, this.#steered);
    this.#peers.isWanted = options.connect ?? true;
    this.#arrivals = new ArrivalTimes(options.libc, options.clock);
    this.#handout = new Handout(this.counters, this.#arrivals);
    const [sender, sendNote] = openSender(options, this.counters, () =>
      this.#noteThat(`${sentOneByOne}${takesNoMore}`),
    );
    const [receiver, receiveNote] = openReceiver(options, this.#handout, () => {
      this.#steerNoMore(takesNoMore);
      this.#noteThat(`${receivedOneByOne}${takesNoMore}`);
    });
    this.sender = sender;
    this.#receiver = receiver;
    if (sendNote !== undefined) this.#noteThat(`${sentOneByOne}${sendNote}`);
    if (receiveNote !== undefined) this.#noteThat(`${receivedOneByOne}${receiveNote}`);
    this.#openSteering();
  }

  /** Whether what steady peers send is received by one socket, or why not. */
  get steering(): string {
    return this.#whyNotSteered ?? 'on';
  }

  #openSteering(): void {
    const { libc, address, steer = false } = this.#options;
    if (!steer) this.#whyNotSteered = 'off';
    else if (!(this.#receiver instanceof UringReceiver))
      this.#whyNotSteered = 'datagrams are received one by one';
    if (this.#whyNotSteered !== undefined) return;
    const steering = Steering.open(libc, address, this.addresses);
    if (typeof steering === 'string') {
      this.#whyNotSteered = steering;
      return;
    }
    (this.#receiver as UringReceiver).takeSteered(steering.socket, this.#steered);
    this.sender.flows = steering.flows;
    this.#peers.steering = steering;
  }

  #steerNoMore(why: string): void {
    const { steering } = this.#peers;
    if (!steering) return;
    this.#whyNotSteered = why;
    this.sender.flush();
    for (const port of this.#ports) this.#peers.release(port);
    this.#peers.steering = undefined;
    steering.detach();
    this.#steered.drain(this.#options.libc, steering.socket, this.#handout);
    steering.close();
  }

  /** @returns why it does not work here: a datagram sent to a port of ours does not come as it was sent */
  probe(): string | undefined {
    const { isWanted } = this.#peers;
    let problem = this.#tryOut();
    if (this.#peers.steering && (problem !== undefined || this.#peers.isWanted !== isWanted)) {
      this.#steerNoMore('datagrams to ourselves did not arrive');
      this.#peers.isWanted = isWanted;
      problem = this.#tryOut();
    }
    if (
      this.#receiver instanceof UringReceiver &&
      (problem !== undefined || this.#peers.isWanted !== isWanted)
    ) {
      this.#receiver.end();
      this.#receiver = new EpollReceiver(this.#options.libc, this.#handout);
      this.#peers.isWanted = isWanted;
      problem = this.#tryOut();
      this.#noteThat(`${receivedOneByOne}datagrams to ourselves did not arrive`);
    }
    if (problem === undefined && this.#peers.isWanted !== isWanted)
      this.#noteThat('no socket is connected to its peer: others were not heard');
    return problem;
  }

  #tryOut(): string | undefined {
    const probe = new TransportProbe(this.#options.address, {
      open: (sink) => this.#bind(0, sink),
      exchange: () => {
        this.sender.flush();
        this.#receiver.wait(probeTimeoutMs);
        this.#begin();
        this.#receiver.receive();
      },
    });
    const problem = probe.run();
    if (problem === undefined && this.#peers.isWanted) this.#peers.isWanted = probe.runConnected();
    for (const port of probe.ports) this.close(port);
    const { counters } = this;
    counters.receivedPackets = counters.sentPackets = counters.failedSends = counters.sendOverflows = 0;
    return problem;
  }

  #noteThat(what: string): void {
    this.note = this.note === undefined ? what : `${this.note}; ${what}`;
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
    const { libc, clock, mayStay } = this.#options;
    this.#loop = new TickLoop(clock, tickPeriodUs, this.counters, {
      begin: () => this.#begin(),
      receiver: this.#receiver,
      ticks,
      send: () => this.sender.flush(),
      ...(mayStay && clock === systemClock && { sleep: new ThreadSleep(libc), mayStay }),
    });
  }

  async stop(): Promise<void> {
    this.#loop?.stop();
    for (const port of this.#ports) this.close(port);
    if (this.#stopped) return;
    this.#stopped = true;
    this.sender.close();
    this.#receiver.end();
    this.#peers.steering?.close();
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

  expects(port: FfiPort): void {
    for (const fd of [port.fd, port.peerFd]) if (fd !== -1) this.#receiver.expects?.(port, fd);
    if (port.flow !== -1) this.#steered.expects(port);
  }

  close(port: FfiPort): void {
    if (port.fd === -1) return;
    // What it committed is still sent.
    this.sender.flush();
    this.#peers.release(port);
    this.#steered.delete(port);
    const sockets = port.giveUp();
    this.#ports.delete(port);
    let open = sockets.length;
    for (const fd of sockets)
      this.#receiver.closeSocket(fd, () => {
        if (--open === 0) this.#numbers.delete(port.port);
      });
  }

  #begin(): void {
    this.#arrivals.begin();
    this.#peers.connectSome(this.#receiver);
  }

  /** @returns undefined when the port is taken */
  #bind(number: number, sink: DatagramSink): FfiPort | undefined {
    if (this.#stopped) throw new CallreelError('DRAINING', 'the media transport was stopped');
    const socket = this.#sockets.bind(number);
    if (!socket) return undefined;
    const port = new FfiPort(socket, sink, this);
    const error = this.#receiver.add(port, port.fd);
    if (error !== undefined) {
      this.#sockets.close(port.fd);
      return judgeBindError(error, this.#options.address);
    }
    this.#ports.add(port);
    this.#numbers.add(port.port);
    return port;
  }
}

function openSender(
  { libc, uring = true }: FfiTransportOptions,
  counters: SendCounters,
  gaveUp: () => void,
): [DatagramSender, string | undefined] {
  if (!uring) return [new DirectSender(libc, counters), undefined];
  try {
    return [new UringSender(libc, counters, gaveUp), undefined];
  } catch (error) {
    return [new DirectSender(libc, counters), messageOf(error)];
  }
}

/** @throws Error where the system lets us by epoll neither */
function openReceiver(
  { libc, uring = true, multishot = uring }: FfiTransportOptions,
  handout: Handout,
  gaveUp: () => void,
): [DatagramReceiver, string | undefined] {
  if (!multishot) return [new EpollReceiver(libc, handout), undefined];
  try {
    return [new UringReceiver(libc, handout, gaveUp), undefined];
  } catch (error) {
    return [new EpollReceiver(libc, handout), messageOf(error)];
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
