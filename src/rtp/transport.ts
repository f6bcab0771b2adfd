/**
 * The border between the media path and the kernel. A driver (`transport-ffi`, or the portable
 * `transport-dgram`) owns the loop: it gathers datagrams, hands each to the sink of its port, calls the ticks, and by the
 * end of the turn has sent what was committed. Nothing above this file knows how the packets came in.
 */
import type { ExpectedPackets } from './expected-packets.ts';
import type { TickHistogram } from './tick-histogram.ts';

/** One received datagram. The object and its bytes are reused: valid only until `receive` returns. */
export interface Datagram {
  data: Uint8Array;
  /** Monotonic microseconds. */
  arrivalUs: number;
  sourceAddress: string;
  sourcePort: number;
}

export interface DatagramSink {
  receive(datagram: Datagram): void;
}

/** Longer ones go out by `commit`: the kernel may have to send them in parts. */
export const mostConnectedBytes = 1200;

/** Sends by sockets that are connected, in one order with all else that is committed. */
export interface ConnectedSends {
  /** Where the next datagram is to be written. */
  readonly bytes: Uint8Array;
  /** Sends the first of `bytes`, by the end of this turn. */
  sendConnected(socket: number, dataBytes: number): void;
}

export interface TransportPort {
  readonly port: number;
  /**
   * Space for one datagram of at most `maxBytes`, or more; write into it, then `commit`. One reservation at a time, over
   * all ports.
   */
  reserve(maxBytes: number): Uint8Array;
  /** Sends the first `bytes` bytes of the reservation, by the end of this turn. */
  commit(bytes: number, address: string, port: number): void;
  /**
   * What comes from this source is offered to this row first, and to the sink only where it was not taken, until the
   * port is closed or this is called again. A driver may hand everything to the sink, which offers it then.
   * @param row 0: to none
   */
  expect?(expected: ExpectedPackets, row: number, address: string, port: number): void;
  /**
   * The row's packets go out to this destination: it is told by which connected socket, now and whenever that changes,
   * until `sendsNoMore`.
   * @returns by what datagrams go out by that
   */
  sendsFor?(expected: ExpectedPackets, row: number, address: string, port: number): ConnectedSends;
  sendsNoMore?(row: number): void;
  close(): void;
}

export interface TransportCounters {
  receivedPackets: number;
  sentPackets: number;
  /** Sends the kernel refused (full buffer, unreachable peer). */
  failedSends: number;
  /**
   * Of these, for which there was no room: a socket's buffer, or the queue before it, was full. All of them where the
   * network's device stands still, and one whose stream is for a neighbour that answers no ARP, while that is asked.
   */
  sendOverflows: number;
  /** Received and given up: longer than a datagram may be, of no source, or more than their port may hold (`dgram`). */
  droppedDatagrams: number;
  /** Errors the system reported on a socket apart from a send. */
  socketErrors: number;
  /** Ticks that began more than one tick period late, or were left out for one that did. */
  lateTicks: number;
  maxLatenessUs: number;
  /** Since `run`. */
  histogram?: TickHistogram;
}

export interface RtpTransport {
  readonly driver: DriverName;
  /** What there is better and does not work here, or no more; undefined where that was not asked for, too. */
  readonly note?: string | undefined;
  /** `on` where what steady peers send comes to one socket, or why it does not; undefined of a driver without it. */
  readonly steering?: string;
  readonly counters: Readonly<TransportCounters>;
  /** Committed before this turn, and not taken by the kernel; of a driver without a queue there are none, it drops them. */
  readonly waitingSends?: number;
  /**
   * Opens a free even port of the configured range on the media address.
   * @throws CallreelError PORTS_EXHAUSTED
   */
  open(sink: DatagramSink): Promise<TransportPort>;
  /**
   * Opens the port above one that `open` gave, for its RTCP (RFC 3550 section 11).
   * @returns undefined where it is taken or the transport was stopped
   */
  openRtcp(rtp: TransportPort, sink: DatagramSink): Promise<TransportPort | undefined>;
  /** Every 5 ms on absolute deadlines: hands out the received datagrams, calls each of `ticks`, sends the batch. */
  run(...ticks: ((nowUs: number) => void)[]): void;
  /** Stops the loop and closes every port. */
  stop(): Promise<void>;
}

/**
 * Whether nothing that the ticks have begun waits for the event loop: then a driver may hold up the thread until the next
 * tick, for a few of them.
 */
export type MayStay = () => boolean;

export const driverNames = ['ffi', 'dgram'] as const;
export type DriverName = (typeof driverNames)[number];

/** Which driver is wanted; `auto`: `ffi` where it works, else `dgram`. */
export const driverSettings = ['auto', ...driverNames] as const;
export type DriverSetting = (typeof driverSettings)[number];

/** Whether what steady peers send is to come to one socket; `auto`: where the kernel lets us. */
export const steeringSettings = ['auto', 'off'] as const;
export type SteeringSetting = (typeof steeringSettings)[number];

/** Period of the media loop; every fourth tick is a 20 ms mixing slot. */
export const tickPeriodUs = 5000;
