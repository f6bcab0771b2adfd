import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** A port free for UDP and TCP alike right now: for programs that must be told one and cannot take 0. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => server.close(resolve));
  return (await isFree(port, host)) ? port : freePort(host);
}

/** A free port whose next one is free as well. */
export async function freePortPair(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = await freePort(host);
    if (port < 65_535 && (await isFree(port + 1, host))) return port;
  }
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
