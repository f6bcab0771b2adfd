import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { wavHeader } from '../../src/container/wav.ts';
import { noise } from '../../src/testkit/noise.ts';

const rateHz = 8000;
let lastSeed = 4000;

/** WAV files behind URLs, each of a noise that stands nowhere else. */
export class PromptServer {
  /** What was asked for. */
  readonly fetched: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      this.fetched.push(request.url ?? '');
      const [, seed, samples] = /^\/(\d+)\/(\d+)\.wav$/.exec(request.url ?? '') ?? [];
      if (seed === undefined) response.writeHead(404).end();
      else response.end(wav(noise({ seed: Number(seed), samples: Number(samples) })));
    });
  }

  static async open(): Promise<PromptServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new PromptServer(server);
  }

  /** @returns where it is, and what is in it */
  prompt(length: number): { url: string; samples: Int16Array } {
    const seed = lastSeed++;
    const { port } = this.#server.address() as AddressInfo;
    const samples = noise({ seed, samples: length });
    return { url: `http://127.0.0.1:${port}/${seed}/${length}.wav`, samples };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function wav(samples: Int16Array): Buffer {
  return Buffer.concat([
    wavHeader({ rateHz, channels: 1, dataBytes: 2 * samples.length }),
    Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength),
  ]);
}
