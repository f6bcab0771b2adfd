import { randomInt } from 'node:crypto';
import { CallreelError } from '../errors.ts';
import { countPorts, isEphemeral, type PortRange, searchPorts } from './port-range.ts';

export interface PortSearch<Port extends { port: number }> {
  ports: PortRange;
  /** Where the search begins: an index below `count`; random, so that a port just freed rests. */
  startIndex?: ((count: number) => number) | undefined;
  isOurs(port: number): boolean;
  /** 0: one that the system picks; undefined when it is taken. */
  bind(port: number): Promise<Port | undefined>;
  discard(port: Port): Promise<void>;
}

/** Then an odd one has to do; the system gives even and odd ones by turns or at random. */
const evenPortAttempts = 16;

/**
 * An even port that is free.
 * @throws CallreelError PORTS_EXHAUSTED
 */
export async function bindFreePort<Port extends { port: number }>(search: PortSearch<Port>): Promise<Port> {
  const { ports, startIndex = randomInt, isOurs, bind } = search;
  if (isEphemeral(ports)) {
    const port = await bindAnyEven(search);
    if (port) return port;
  } else {
    const count = countPorts(ports);
    for (const number of searchPorts(ports, count > 0 ? startIndex(count) : 0)) {
      const port = isOurs(number) ? undefined : await bind(number);
      if (port) return port;
    }
  }
  throw new CallreelError('PORTS_EXHAUSTED', `no free RTP port in ${ports.first}-${ports.last}`, {
    where: 'rtp.ports',
  });
}

/** The odd ports that the system gives meanwhile are held, so that it gives others. */
async function bindAnyEven<Port extends { port: number }>({
  bind,
  discard,
}: PortSearch<Port>): Promise<Port | undefined> {
  const odd: Port[] = [];
  try {
    for (let attempt = 0; attempt < evenPortAttempts; attempt++) {
      const port = await bind(0);
      if (!port || port.port % 2 === 0) return port;
      odd.push(port);
    }
    return odd.pop();
  } finally {
    await Promise.all(odd.map(discard));
  }
}

/**
 * @returns undefined when the port is taken, or is not ours to take
 * @throws CallreelError PORTS_EXHAUSTED when the system has no more sockets, CONFIG_INVALID for anything else
 */
export function judgeBindError(code: string | undefined, address: string, cause?: unknown): undefined {
  if (code === 'EADDRINUSE' || code === 'EACCES') return undefined;
  if (code === 'EMFILE' || code === 'ENFILE' || code === 'ENOBUFS' || code === 'ENOMEM')
    throw new CallreelError('PORTS_EXHAUSTED', `the system opens no more sockets (${code})`, { cause });
  throw new CallreelError('CONFIG_INVALID', `cannot open a port on ${address} (${code ?? cause})`, {
    where: 'rtp.address',
    cause,
  });
}
