import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { seededRandom } from '../../src/testkit/random.ts';

export interface LossyProxy {
  address: string;
  port: number;
  /** So far; `lost` is part of `datagrams`. */
  readonly towardsServer: { datagrams: number; lost: number };
  readonly towardsClient: { datagrams: number; lost: number };
  close(): Promise<void>;
}

const host = '127.0.0.1';

/**
 * A UDP hop that loses datagrams in both directions, the same ones for the same seed and order. It changes nothing:
 * peers must answer to where a request came from (RFC 3581).
 */
export async function startLossyProxy({
  target,
  lossRate,
  seed,
}: {
  target: { address: string; port: number };
  /** Share that is never passed on, 0 to 1, in each direction. */
  lossRate: number;
  seed: number;
}): Promise<LossyProxy> {
  const towardsServer = { datagrams: 0, lost: 0 };
  const towardsClient = { datagrams: 0, lost: 0 };
  const upRandom = seededRandom(seed);
  const downRandom = seededRandom(seed + 1);
  /** By the client's address. */
  const upstream = new Map<string, Socket>();
  const front = await open();
  front.on('message', (datagram, client) => {
    towardsServer.datagrams++;
    if (upRandom() < lossRate) {
      towardsServer.lost++;
      return;
    }
    const key = `${client.address}:${client.port}`;
    const socket = upstream.get(key) ?? createSocket('udp4');
    if (!upstream.has(key)) {
      upstream.set(key, socket);
      socket.on('message', (answer) => {
        towardsClient.datagrams++;
        if (downRandom() < lossRate) towardsClient.lost++;
        else front.send(answer, client.port, client.address);
      });
    }
    socket.send(datagram, target.port, target.address);
  });
  return {
    address: host,
    port: front.address().port,
    towardsServer,
    towardsClient,
    async close() {
      await Promise.all([front, ...upstream.values()].map(closed));
    },
  };
}

async function open(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(resolve));
}
