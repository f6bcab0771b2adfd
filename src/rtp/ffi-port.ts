import type { DatagramSender } from './datagram-sender.ts';
import type { ExpectedPackets } from './expected-packets.ts';
import { maxDatagramBytes } from './send-batch.ts';
import { ipv4Bytes, portOf, type SocketAddresses, socketAddressBytes } from './socket-address.ts';
import {
  type ConnectedSends,
  type DatagramSink,
  mostConnectedBytes,
  type TransportPort,
} from './transport.ts';

export interface FfiPortOwner {
  readonly addresses: SocketAddresses;
  /** AF_INET or AF_INET6. */
  readonly family: number;
  readonly sender: DatagramSender;
  /** A datagram has no way to its destination. */
  refused(): void;
  /** So much went to one destination that a socket that is connected to it pays. */
  steady(port: FfiPort): void;
  /** What is expected of a port has changed. */
  expects(port: FfiPort): void;
  close(port: FfiPort): void;
}

/** A second of a stream of 20 ms. */
export const steadySends = 50;

/** One bound socket, and perhaps a connected one; the transport that opened it reads them and ends it. */
export class FfiPort implements TransportPort {
  // What a send needs stands together: of hundreds of ports none is in the cache.
  /** -1 once it is closed. */
  fd: number;
  /** On the same port and connected to what is or was the destination, -1 where there is none. */
  peerFd = -1;
  /** The number by which datagrams to the destination go out, of `peerFd` or of a flow; -1 where there is none. */
  way = -1;
  /** Of what is steered, to what is or was the destination (`steering.ts`); -1 where nothing is. */
  flow = -1;
  #remotePort = -1;
  #address = '';
  readonly #owner: FfiPortOwner;
  /** A `sockaddr` of so many bytes; none where it is no address. */
  readonly destination = new Uint32Array(socketAddressBytes / 4);
  destinationBytes = 0;
  /** Whom what comes is offered to first; 0: nobody. */
  row = 0;
  expected: ExpectedPackets | undefined;
  /** Where the last datagram came from. */
  sourceAddress = '';
  sourcePort = 0;
  /** The sockaddr of it: two words, which are all there is of IPv4, and the others. */
  #source0 = 0;
  #source1 = 0;
  #sourceRest: Uint32Array | undefined;
  /** Who is told of the connected socket: the row, and what its packets go out to. */
  #sentRow = 0;
  #sentExpected: ExpectedPackets | undefined;
  #sentAddress = '';
  #sentPort = 0;
  /** To this destination, without a connected socket. */
  #sends = 0;
  readonly port: number;
  readonly sink: DatagramSink;

  constructor({ fd, port }: { fd: number; port: number }, sink: DatagramSink, owner: FfiPortOwner) {
    this.fd = fd;
    this.port = port;
    this.sink = sink;
    this.#owner = owner;
  }

  reserve(maxBytes: number): Uint8Array {
    if (!(maxBytes >= 0 && maxBytes <= maxDatagramBytes))
      throw new RangeError(`a datagram of ${maxBytes} bytes was asked for, ${maxDatagramBytes} is the most`);
    return this.#owner.sender.bytes;
  }

  commit(bytes: number, address: string, port: number): void {
    if (!(bytes >= 0 && bytes <= maxDatagramBytes)) throw new RangeError(`a datagram of ${bytes} bytes`);
    if (this.fd === -1) return;
    if (address !== this.#address || port !== this.#remotePort) this.#aim(address, port);
    if (this.way !== -1 && bytes <= mostConnectedBytes) this.#owner.sender.sendConnected(this.way, bytes);
    else if (this.destinationBytes === 0) this.#owner.refused();
    else {
      this.#owner.sender.send(this.fd, this.destination, this.destinationBytes, bytes);
      if (++this.#sends === steadySends) this.#owner.steady(this);
    }
  }

  /** Still open and sending to where it did when it became steady. */
  get isSteady(): boolean {
    return this.fd !== -1 && this.#sends >= steadySends;
  }

  /** Datagrams to the destination go out by `peerFd`, or by a flow. */
  get isConnected(): boolean {
    return this.way !== -1;
  }

  /** From now on datagrams to this destination go out by `fd`. */
  connected(fd: number): void {
    this.peerFd = this.way = fd;
    this.#tellSocket();
  }

  /** From now on they go out by this flow; -1: by its own socket, until it has another destination. */
  steered(flow: number): void {
    this.flow = this.way = flow;
    this.#tellSocket();
  }

  sendsFor(expected: ExpectedPackets, row: number, address: string, port: number): ConnectedSends {
    this.#sentExpected = expected;
    this.#sentRow = row;
    this.#sentAddress = address;
    this.#sentPort = port;
    this.#tellSocket();
    return this.#owner.sender;
  }

  sendsNoMore(row: number): void {
    if (row === this.#sentRow) this.#sentRow = 0;
  }

  #tellSocket(): void {
    if (this.#sentRow === 0) return;
    const isAimed = this.#address === this.#sentAddress && this.#remotePort === this.#sentPort;
    this.#sentExpected!.sendsBy(this.#sentRow, isAimed ? this.way : -1);
  }

  /** Its sockets are no longer its own. @returns them */
  giveUp(): number[] {
    const sockets = [this.fd, this.peerFd].filter((fd) => fd !== -1);
    this.fd = this.peerFd = this.way = -1;
    this.#tellSocket();
    return sockets;
  }

  expect(expected: ExpectedPackets, row: number, address: string, port: number): void {
    const { addresses, family } = this.#owner;
    const source = new Uint32Array(socketAddressBytes / 4);
    const isKnown = row !== 0 && addresses.write(source, family, address, port) === ipv4Bytes;
    if (isKnown) expected.comesFrom(row, source[0]!, source[1]!);
    this.expected = expected;
    this.row = isKnown ? row : 0;
    this.#owner.expects(this);
  }

  close(): void {
    this.#owner.close(this);
  }

  /**
   * Takes the source of a datagram; its text is made anew only when it is another.
   * @param words in which the sockaddr is, from this index on
   * @returns whether it is an address at all
   */
  cameFrom(words: Uint32Array, at: number, bytes: number): boolean {
    const isKnown =
      (words[at]! | 0) === this.#source0 &&
      (words[at + 1]! | 0) === this.#source1 &&
      (bytes === ipv4Bytes ? this.#sourceRest === undefined : this.#isSameRest(words, at, bytes));
    if (isKnown) return this.sourceAddress !== '';
    const name = words.slice(at, at + (Math.min(bytes, socketAddressBytes) >> 2));
    this.#source0 = words[at]! | 0;
    this.#source1 = words[at + 1]! | 0;
    this.#sourceRest = bytes === ipv4Bytes ? undefined : name.subarray(2);
    this.sourceAddress = this.#owner.addresses.read(name, bytes);
    this.sourcePort = portOf(name);
    return this.sourceAddress !== '';
  }

  #isSameRest(words: Uint32Array, at: number, bytes: number): boolean {
    const rest = this.#sourceRest;
    return rest?.length === (bytes >> 2) - 2 && rest.every((word, index) => word === words[at + index + 2]);
  }

  #aim(address: string, port: number): void {
    const { addresses, family } = this.#owner;
    this.destinationBytes = addresses.write(this.destination, family, address, port);
    this.way = -1;
    this.#sends = 0;
    this.#address = address;
    this.#remotePort = port;
    this.#tellSocket();
  }
}
