import type { DatagramReceiver } from './datagram-receiver.ts';
import type { FfiPort } from './ffi-port.ts';
import type { UdpSockets } from './udp-sockets.ts';

/** Each costs as much as several packets; a moment at which hundreds of calls begin is not to be late for it. */
const connectsPerTurn = 4;

/**
 * Gives ports whose destination is steady a socket that is connected to it: a send by that costs the kernel a fifth less.
 * Where there is none to be had a port goes on with the socket it has.
 */
export class ConnectedPeers {
  isWanted = true;
  readonly #sockets: UdpSockets;
  readonly #waiting: FfiPort[] = [];

  constructor(sockets: UdpSockets) {
    this.#sockets = sockets;
  }

  add(port: FfiPort): void {
    if (this.isWanted) this.#waiting.push(port);
  }

  /** Before anything is read in a turn. */
  connectSome(receiver: DatagramReceiver): void {
    for (let i = 0; i < connectsPerTurn && this.#waiting.length > 0; i++) {
      const port = this.#waiting.shift()!;
      if (port.isSteady && !port.isConnected) this.#connect(port, receiver);
    }
  }

  /** What waits in the first socket came before what the connected one will have. */
  #connect(port: FfiPort, receiver: DatagramReceiver): void {
    const { destination, destinationBytes, peerFd } = port;
    if (peerFd !== -1) {
      if (!this.#sockets.connect(peerFd, destination, destinationBytes)) return;
      port.connected(peerFd);
      receiver.catchUp(port);
      return;
    }
    const fd = this.#sockets.bindConnected(port, destination, destinationBytes);
    if (fd === undefined) return;
    receiver.catchUp(port);
    // Whoever heard it may have closed the port.
    if (port.isSteady && receiver.add(port, fd) === undefined) port.connected(fd);
    else this.#sockets.close(fd);
  }
}
