import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { DgramPort, sendDatagram } from './dgram-port.ts';
import type { PortRange } from './port-range.ts';
import { bindFreePort, judgeBindError } from './port-search.ts';
import { maxDatagramBytes, overflowErrors, SendBatch } from './send-batch.ts';
import { TickLoop } from './tick-loop.ts';
import {
  type Datagram,
  type DatagramSink,
  type RtpTransport,
  type TransportCounters,
  type TransportPort,
  tickPeriodUs,
} from './transport.ts';

export interface DgramTransportOptions {
  clock: Clock;
  /** IPv4 or IPv6 address of this machine that the ports are bound to. */
  address: string;
  ports: PortRange;
  /** Where the search for a free port begins: an index below `count`; random, so that a port just freed rests. */
  startIndex?: (count: number) => number;
  /** Why it is not a better one, where that was not asked for. */
  note?: string;
}

/** A second of a 20 ms stream in bursts of ten: what one port may hold until the next tick. */
const maxQueuedPerPort = 512;

const maxPort = 65_535;
/** The system cuts this down to net.core.rmem_max. */
const receiveBufferBytes = 1 << 20;

interface ReceivedDatagram extends Datagram {
  port: DgramPort;
}

const noData = new Uint8Array();
/** Objects that are kept: more than a tick of a busy worker has. */
const maxKeptDatagrams = 4096;

/** Datagrams that wait for a tick, in objects that are used again. */
class ReceivedDatagrams {
  readonly #datagrams: ReceivedDatagram[] = [];
  #length = 0;

  add(port: DgramPort, data: Uint8Array, arrivalUs: number, { address, port: sourcePort }: RemoteInfo): void {
    const datagram = this.#datagrams[this.#length];
    if (datagram) {
      datagram.port = port;
      datagram.data = data;
      datagram.arrivalUs = arrivalUs;
      datagram.sourceAddress = address;
      datagram.sourcePort = sourcePort;
    } else this.#datagrams.push({ port, data, arrivalUs, sourceAddress: address, sourcePort });
    this.#length++;
  }

  handOut(take: (datagram: ReceivedDatagram) => void): void {
    try {
      for (let i = 0; i < this.#length; i++) this.#datagrams[i]!.port.queued = 0;
      for (let i = 0; i < this.#length; i++) take(this.#datagrams[i]!);
    } finally {
      // Its memory is the received one.
      for (let i = 0; i < this.#length; i++) this.#datagrams[i]!.data = noData;
      this.#length = 0;
      if (this.#datagrams.length > maxKeptDatagrams) this.#datagrams.length = maxKeptDatagrams;
    }
  }
}

const overflows: readonly unknown[] = overflowErrors;

/** Bound to this, a socket takes IPv4 as well: its peers' addresses then stand in IPv6 form. */
const everywhere = '::';
const mapped = '::ffff:';

/** Received datagrams wait in `#received` for the tick, which hands them out in the order of their arrival. */
export class DgramTransport implements RtpTransport {
  readonly driver = 'dgram';
  readonly note: string | undefined;
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
  readonly #options: DgramTransportOptions;
  readonly #batch = new SendBatch<DgramPort>((error) => {
    if (error) this.#countFailed(error);
    else this.counters.sentPackets++;
  });
  readonly #ports = new Set<DgramPort>();
  readonly #numbers = new Set<number>();
  readonly #closing: DgramPort[] = [];
  #received = new ReceivedDatagrams();
  #handingOut = new ReceivedDatagrams();
  #loop: TickLoop | undefined;
  #stopped = false;

  constructor(options: DgramTransportOptions) {
    this.#options = options;
    this.note = options.note;
  }

  get waitingSends(): number {
    return this.#batch.waiting;
  }

  async open(sink: DatagramSink): Promise<TransportPort> {
    const { ports, startIndex } = this.#options;
    return await bindFreePort({
      ports,
      startIndex,
      isOurs: (number) => this.#numbers.has(number),
      bind: (number) => this.#bind(number, sink),
      discard: (port) => port.shut(),
    });
  }

  async openRtcp(rtp: TransportPort, sink: DatagramSink): Promise<TransportPort | undefined> {
    try {
      return rtp.port < maxPort && !this.#stopped ? await this.#bind(rtp.port + 1, sink) : undefined;
    } catch (error) {
      if (error instanceof CallreelError) return undefined;
      throw error;
    }
  }

  run(...ticks: ((nowUs: number) => void)[]): void {
    if (this.#loop) throw new Error('the transport runs already');
    this.#loop = new TickLoop(this.#options.clock, tickPeriodUs, this.counters, {
      receiver: { receive: () => this.#handOut() },
      ticks,
      send: () => this.#flush(),
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#loop?.stop();
    this.#flush();
    await Promise.all([...this.#ports].map((port) => port.shut()));
    this.#received = new ReceivedDatagrams();
  }

  /** @returns undefined when the port is taken */
  async #bind(number: number, sink: DatagramSink): Promise<DgramPort | undefined> {
    const { address } = this.#options;
    // The addresses are literals: answering at once spares every send a turn of the event loop.
    const socket = createSocket({
      type: isIPv6(address) ? 'udp6' : 'udp4',
      ipv6Only: isIPv6(address) && address !== everywhere,
      lookup: isIPv6(address)
        ? (host, _options, callback) => callback(null, isIPv6(host) ? host : mapped + host, 6)
        : (host, _options, callback) => callback(null, host, 4),
    });
    try {
      // With that lookup, the event comes before `bind` returns.
      const listening = once(socket, 'listening');
      socket.bind({ port: number, address, exclusive: true });
      await listening;
    } catch (error) {
      socket.close();
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
      return judgeBindError(code, address, error);
    }
    if (this.#stopped) {
      socket.close();
      throw new CallreelError('DRAINING', 'the media transport was stopped');
    }
    return this.#adopt(socket, sink);
  }

  #adopt(socket: Socket, sink: DatagramSink): DgramPort {
    const port = new DgramPort(socket, sink, this.#batch, {
      close: () => this.#close(port),
      closed: () => {
        this.#ports.delete(port);
        this.#numbers.delete(port.port);
      },
    });
    this.#ports.add(port);
    this.#numbers.add(port.port);
    socket.on('message', (data, remote) => {
      if (remote.address.startsWith(mapped)) remote.address = remote.address.slice(mapped.length);
      this.#receive(port, data, remote);
    });
    socket.on('error', () => this.counters.socketErrors++);
    try {
      socket.setRecvBufferSize(receiveBufferBytes);
    } catch {
      // The size the system gives is enough for one stream; the larger one only bridges a stall.
    }
    return port;
  }

  #receive(port: DgramPort, data: Uint8Array, remote: RemoteInfo): void {
    if (data.length > maxDatagramBytes || port.queued >= maxQueuedPerPort) {
      this.counters.droppedDatagrams++;
      return;
    }
    port.queued++;
    this.#received.add(port, data, this.#options.clock.monotonicUs(), remote);
  }

  #handOut(): void {
    const batch = this.#received;
    this.#received = this.#handingOut;
    this.#handingOut = batch;
    batch.handOut(this.#take);
  }

  readonly #take = (datagram: ReceivedDatagram): void => {
    const { port } = datagram;
    if (port.closed) return;
    this.counters.receivedPackets++;
    port.sink.receive(datagram);
  };

  #countFailed(error: Error): void {
    this.counters.failedSends++;
    if ('code' in error && overflows.includes(error.code)) this.counters.sendOverflows++;
  }

  #flush(): void {
    this.#batch.drain(sendDatagram);
    for (const port of this.#closing) void port.shut();
    this.#closing.length = 0;
  }

  /** What a port committed before its closing is still sent, so its socket lives until the end of the tick. */
  #close(port: DgramPort): void {
    if (this.#batch.length > 0 && !this.#stopped) this.#closing.push(port);
    else void port.shut();
  }
}
