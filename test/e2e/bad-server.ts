import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** How a path of the bad server answers; it may never come to an end. */
type Misbehaviour = (response: ServerResponse) => unknown;

const chunk = Buffer.alloc(1 << 20, 0x20);
const wavType = { 'content-type': 'audio/wav' };

/** RIFF and data sizes as writers of a stream leave them: as large as can be. */
export function wavHead({ rateHz = 8000, channels = 1, dataBytes = 0xffff_ffff - 36 } = {}): Buffer {
  const head = Buffer.alloc(44);
  const frameBytes = 2 * channels;
  head.write('RIFF', 0);
  head.writeUInt32LE(dataBytes + 36, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rateHz, 24);
  head.writeUInt32LE(rateHz * frameBytes, 28);
  head.writeUInt16LE(frameBytes, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(dataBytes, 40);
  return head;
}

/** Writes as fast as the other side reads, until there is enough or it has gone. */
export async function flood(response: ServerResponse, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes && !response.destroyed; sent += chunk.length)
    if (!response.write(chunk.subarray(0, Math.min(chunk.length, bytes - sent))))
      await drainedOrGone(response);
  response.end();
}

function drainedOrGone(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const goOn = (): void => {
      response.off('drain', goOn).off('close', goOn);
      resolve();
    };
    response.on('drain', goOn).on('close', goOn);
  });
}

async function drip(response: ServerResponse): Promise<void> {
  while (!response.destroyed) {
    response.write('  ');
    await setTimeout(50);
  }
}

export const callbackMisbehaviour: Record<string, Misbehaviour> = {
  'status 500': (response) => response.writeHead(500).end('{"error": "boom"}'),
  HTML: (response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html><h1>It works!</h1></html>'),
  '50 MB': (response) => flood(response.writeHead(200), 50_000_000),
  'nothing (connection closed)': (response) => response.socket?.destroy(),
  'half an answer': (response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('{"routine": [');
    setTimeout(20).then(() => response.socket?.destroy());
  },
  'after the time-out': () => undefined,
  'a body without end': (response) => drip(response.writeHead(200)),
  'a redirect': (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  'a head of 1 MB': (response) =>
    response.writeHead(200, { 'x-padding': 'x'.repeat(1_000_000) }).end('{"routine": []}'),
  'half a JSON text': (response) => response.writeHead(200).end('{"routine": ['),
};

export const audioMisbehaviour: Record<string, Misbehaviour> = {
  '404': (response) => response.writeHead(404).end('<h1>Not found</h1>'),
  'a redirect': (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  'not audio': (response) => response.writeHead(200, wavType).end('<html>This is no music.</html>'),
  'an empty file': (response) => response.writeHead(200, wavType).end(),
  'the head of a WAV and nothing else': (response) =>
    response.writeHead(200, wavType).end(wavHead().subarray(0, 30)),
  'a WAV of no samples': (response) => response.writeHead(200, wavType).end(wavHead({ dataBytes: 0 })),
  'endless, fast': (response) => {
    response.writeHead(200, wavType).write(wavHead());
    return flood(response, Number.POSITIVE_INFINITY);
  },
  'endless, slow': (response) => {
    response.writeHead(200, wavType).write(wavHead());
    return drip(response);
  },
  'never an answer': () => undefined,
  'more than 50 MB': (response) => {
    response.writeHead(200, { ...wavType, 'content-length': '60000044' });
    response.write(wavHead({ dataBytes: 60_000_000 }));
    return flood(response, 60_000_000);
  },
  'a WAV of 0 Hz': (response) => {
    response.writeHead(200, wavType).write(wavHead({ rateHz: 0, dataBytes: 320 }));
    response.end(Buffer.alloc(320));
  },
  'a WAV of a thousand channels': (response) => {
    response.writeHead(200, wavType).write(wavHead({ channels: 1000, dataBytes: 8000 }));
    response.end(Buffer.alloc(8000));
  },
  'closed in mid-file': (response) => {
    response.writeHead(200, { ...wavType, 'content-length': '16044' }).write(wavHead({ dataBytes: 16_000 }));
    setTimeout(20).then(() => response.socket?.destroy());
  },
};

/** A server that does everything wrong that a user's server can. */
export class BadServer {
  readonly #misbehaviours: Misbehaviour[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<BadServer> {
    const bad = new BadServer();
    await new Promise<void>((resolve) => bad.#server.listen(0, '127.0.0.1', resolve));
    return bad;
  }

  /** A URL that behaves so. */
  url(misbehaviour: Misbehaviour): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/${this.#misbehaviours.push(misbehaviour) - 1}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for await (const _ of request);
    const misbehaviour = this.#misbehaviours[Number(request.url?.slice(1))];
    if (misbehaviour) await misbehaviour(response);
    else response.writeHead(404).end();
  }
}
