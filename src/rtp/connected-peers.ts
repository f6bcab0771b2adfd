import type { DatagramReceiver } from './datagram-receiver.ts';
import type { FfiPort } from './ffi-port.ts';
import type { SteeredPorts } from './steered-ports.ts';
import type { Steering } from './steering.ts';
import type { UdpSockets } from './udp-sockets.ts';

/** Each costs as much as several packets; a moment at which hundreds of calls begin is not to be late for it. */
const connectsPerTurn = 4;

/**
 * Gives ports whose destination is steady a socket that is connected to it: a send by that costs the kernel a fifth less.
 * Where there is none to be had a port goes on with the socket it has.
 */
export class ConnectedPeers {
  isWanted = true;
  steering: Steering | undefined;
  readonly #steered: SteeredPorts;
  readonly #sockets: UdpSockets;
  readonly #waiting: FfiPort[] = [];

  constructor(sockets: UdpSockets, steered: SteeredPorts) {
    this.#sockets = sockets;
    this.#steered = steered;
  }

  add(port: FfiPort): void {
    if (this.isWanted) this.#waiting.push(port);
  }

  /** Before anything is read in a turn. */
  connectSome(receiver: DatagramReceiver): void {
    for (let i = 0; i < connectsPerTurn && this.#waiting.length > 0; i++) {
      const port = this.#waiting.shift()!;
      if (port.isSteady && !port.isConnected && !this.#steer(port, receiver)) this.#connect(port, receiver);
    }
  }

  /** What waits in its own socket came before what will be steered. */
  #steer(port: FfiPort, receiver: DatagramReceiver): boolean {
    if (!this.steering || port.peerFd !== -1) return false;
    receiver.catchUp(port);
    // Whoever heard it may have closed the port, or aimed it elsewhere.
    if (!port.isSteady || !this.steering) return true;
    if (port.flow !== -1) this.steering.release(port.flow);
    const flow = this.steering.steer(port);
    if (flow === undefined) {
      port.steered(-1);
      return false;
    }
    this.#steered.add(port);
    port.steered(flow);
    return true;
  }

  /** Its own socket has all that comes to it from now on, and sends what it sends. */
  release(port: FfiPort): void {
    if (port.flow === -1) return;
    this.steering?.release(port.flow);
    port.steered(-1);
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
