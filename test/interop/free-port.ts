import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Below the ports that the system gives to whoever asks for none, and above baresip's own for media. */
const lowest = 20_001;
const highest = 32_766;
/** By this process: whoever was told a port opens it some time later. */
const given = new Set<number>();

/** A port free for UDP and TCP alike right now: for programs that must be told one and cannot take 0. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (await take(port, host)) return port;
  }
}

/** A free port whose next one is free as well. */
export async function freePortPair(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = await freePort(host);
    if (await take(port + 1, host)) return port;
  }
}

async function take(port: number, host: string): Promise<boolean> {
  if (given.has(port)) return false;
  given.add(port);
  return await isFree(port, host);
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  const tcpIsFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => resolve(true));
  });
  const socket = createSocket('udp4');
  const udpIsFree = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(port, host, () => resolve(true));
  });
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  if (tcpIsFree) await new Promise((resolve) => server.close(resolve));
  return tcpIsFree && udpIsFree;
}
