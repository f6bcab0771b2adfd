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
  const socket = createSocket('udp4');
  const isFree = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(port, host, () => resolve(true));
  });
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  await new Promise((resolve) => server.close(resolve));
  return isFree ? port : freePort(host);
}
