import type { Epoll } from './epoll.ts';
import type { FfiPort } from './ffi-port.ts';
import type { UdpSockets } from './udp-sockets.ts';

/** Each costs as much as several packets; a moment at which hundreds of calls begin is not to be late for it. */
const connectsPerTurn = 4;

/** Bounds what one port may hold up the others by; beyond it two packets may change places. */
const maxDrained = 128;

/**
 * Gives ports whose destination is steady a socket that is connected to it: a send by that costs the kernel a fifth less.
 * Where there is none to be had a port goes on with the socket it has.
 */
export class ConnectedPeers {
  isWanted = true;
  readonly #sockets: UdpSockets;
  readonly #epoll: Epoll;
  readonly #waiting: FfiPort[] = [];

  constructor(sockets: UdpSockets, epoll: Epoll) {
    this.#sockets = sockets;
    this.#epoll = epoll;
  }

  add(port: FfiPort): void {
    if (this.isWanted) this.#waiting.push(port);
  }

  /**
   * Before anything is read in a turn.
   * @param take reads one datagram of a socket of the port; false when there is none
   */
  connectSome(take: (port: FfiPort, fd: number) => boolean): void {
    for (let i = 0; i < connectsPerTurn && this.#waiting.length > 0; i++) {
      const port = this.#waiting.shift()!;
      if (!port.isSteady || port.isConnected || !this.#connect(port)) continue;
      // What waits in the first socket came before what the connected one will have.
      for (let taken = 0; taken < maxDrained && port.fd !== -1 && take(port, port.fd); taken++);
    }
  }

  #connect(port: FfiPort): boolean {
    const { destination, destinationBytes, peerFd } = port;
    if (peerFd !== -1) {
      if (this.#sockets.connect(peerFd, destination, destinationBytes)) port.connected(peerFd);
      return port.isConnected;
    }
    const fd = this.#sockets.bindConnected(port, destination, destinationBytes);
    if (fd === undefined) return false;
    if (this.#epoll.add(fd, port.peerKey, port.turn) === undefined) port.connected(fd);
    else this.#sockets.close(fd);
    return port.isConnected;
  }
}
