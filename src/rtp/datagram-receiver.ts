import type { ArrivalTimes } from './arrival-times.ts';
import type { FfiPort } from './ffi-port.ts';
import type { Datagram, TransportCounters } from './transport.ts';

/** Where what comes to the sockets of all ports of a transport is taken from. */
export interface DatagramReceiver {
  /**
   * From now on what comes to this socket of the port is handed out.
   * @returns the name of the error, where there was one
   */
  add(port: FfiPort, fd: number): string | undefined;
  /** What comes to this socket is offered to the port's row first; one that does not know of rows offers nothing. */
  expects?(port: FfiPort, fd: number): void;
  /** Hands out what waits in the first socket of a port, at least. */
  catchUp(port: FfiPort): void;
  /** Hands out what came, of each socket in its order. A port that is flooded does not hold up the others. */
  receive(): void;
  /** Until something came. */
  wait(timeoutMs: number): void;
  /** Nothing more of this socket is handed out; it is closed, at once or within the next turn, and `closed` called. */
  closeSocket(fd: number, closed: () => void): void;
  /** All sockets were given to `closeSocket`; afterwards they are closed, and it is of no use. */
  end(): void;
}

export type ReceiveCounters = Pick<
  TransportCounters,
  'receivedPackets' | 'droppedDatagrams' | 'socketErrors'
>;

/** Of one port in one tick; what it has beyond waits in its socket. Two seconds of a 20 ms stream. */
export const maxPerSocketAndTurn = 128;

/** Datagrams, as the kernel tells of them, for the sinks of their ports: who received them calls these. */
export class Handout {
  readonly counters: ReceiveCounters;
  readonly arrivals: ArrivalTimes;
  readonly #datagram: Datagram = { data: new Uint8Array(), arrivalUs: 0, sourceAddress: '', sourcePort: 0 };

  constructor(counters: ReceiveCounters, arrivals: ArrivalTimes) {
    this.counters = counters;
    this.arrivals = arrivals;
  }

  /**
   * @param words in which the sockaddr of the source and the control data are, each from some index on and of so many
   *   bytes
   * @returns valid until the next one; undefined where nobody has sent it
   */
  take(
    port: FfiPort,
    data: Uint8Array,
    words: Uint32Array,
    nameAt: number,
    nameBytes: number,
    controlAt: number,
    controlBytes: number,
  ): Datagram | undefined {
    if (!port.cameFrom(words, nameAt, nameBytes)) {
      this.counters.droppedDatagrams++;
      return undefined;
    }
    const datagram = this.#datagram;
    datagram.data = data;
    datagram.arrivalUs = this.arrivals.of(words, controlAt, controlBytes);
    datagram.sourceAddress = port.sourceAddress;
    datagram.sourcePort = port.sourcePort;
    this.counters.receivedPackets++;
    return datagram;
  }
}
