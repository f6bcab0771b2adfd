import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { LoadGenerator, type LoadReport, type RelayedPackets } from './load-generator.ts';
import { buildProgram } from './native-program.ts';
import { packetSamples, StreamAudio } from './stream-audio.ts';
import { host } from './two-party-signalling.ts';

const headerBytes = 12;
const silence = Buffer.alloc(packetSamples, 0xff);
const noise = Buffer.alloc(packetSamples, 0x2a);
/** Packets of the audio, each another one and none silent. */
const audio = new StreamAudio(
  Uint8Array.from({ length: 200 * packetSamples }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 24) & 0xfe),
);

/** What `load` tells of what one stream receives of another. @param prepare whatever the compiler needs */
export function testLoadStreams({
  skip = false,
  prepare,
}: {
  skip?: string | false;
  prepare?: () => Promise<void>;
} = {}): void {
  describe('load: what a stream receives of another one', { skip }, () => {
    let directory: string;
    let program: string;
    before(async () => {
      await prepare?.();
      directory = mkdtempSync(join(tmpdir(), 'callreel-load-'));
      program = await buildProgram('load', directory);
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    /** A relay between streams 0 and 1 that does with the payloads of 1 what the test wants. */
    async function openRelay() {
      const load = await LoadGenerator.start(program, directory, audio, 2);
      const [legs, sent] = [await Promise.all([openSocket(), openSocket()]), [] as Buffer[]];
      legs[1].on('message', (packet) => sent.push(packet.subarray(headerBytes)));
      let passed = 0;
      const begin = () => {
        load.expectRelayed(0, 1);
        for (const [stream, leg] of legs.entries())
          load.sendTo(stream, { port: leg.address().port }, { port: 0 });
      };
      begin();
      return {
        load,
        begin,
        /** The next so many that stream 1 sends. */
        next: async (count: number): Promise<Buffer[]> => {
          const from = sent.length;
          while (sent.length < from + count) await once(legs[1], 'message');
          return sent.slice(from, from + count);
        },
        /** @param first its place in time, in packets */
        pass: async (first: number, payloads: readonly Buffer[]): Promise<void> => {
          for (const [i, payload] of payloads.entries()) {
            const header = Buffer.alloc(headerBytes);
            header.writeUInt16BE(0x8000, 0);
            header.writeUInt16BE(first + i, 2);
            header.writeUInt32BE((first + i) * packetSamples, 4);
            legs[0].send(Buffer.concat([header, payload]), load.ports[0]!, host);
          }
          passed += payloads.length;
          while ((await load.report()).received < passed) await sleep(systemClock, 1);
        },
        [Symbol.asyncDispose]: async () => {
          for (const leg of legs) leg.close();
          await load[Symbol.asyncDispose]();
        },
      };
    }

    /** @param change what is passed on of ten packets @returns what was found */
    async function relayed(change: (said: Buffer[]) => Buffer[]): Promise<LoadReport & RelayedPackets> {
      await using relay = await openRelay();
      const said = await relay.next(10);
      await relay.pass(0, change(said));
      return { ...(await relay.load.report()), ...(await relay.load.relayed(0)) };
    }

    test('silence, and then all of it, is right', async () => {
      const found = await relayed((said) => [silence, silence, silence, ...said]);
      assert.deepEqual([found.wrong, found.missing, found.relayed], [0, 0, 10]);
      assert.equal(found.mostSilentBefore, 3);
    });

    test('anything else before it is wrong, and silence from its beginning on', async () => {
      assert.equal((await relayed((said) => [silence, noise, ...said])).wrong, 1);
      assert.equal((await relayed((said) => [...said.slice(0, 1), silence, ...said.slice(2)])).wrong, 1);
      assert.equal((await relayed((said) => [...said.slice(0, 5), noise, ...said.slice(6)])).wrong, 1);
      assert.equal((await relayed((said) => [...said.slice(0, 9), silence])).wrong, 1);
    });

    test('a packet that was not sent yet is wrong, as one of the call before', async () => {
      const ahead = Buffer.from(audio.ulaw).subarray(audio.placeOf(1, 120)).subarray(0, packetSamples);
      assert.equal((await relayed(() => [ahead])).wrong, 1);
      await using relay = await openRelay();
      const before = await relay.next(3);
      for (const stream of [0, 1]) await relay.load.endStream(stream);
      relay.begin();
      const said = await relay.next(3);
      await relay.pass(0, [before[2]!, ...said]);
      assert.equal((await relay.load.report()).wrong, 1);
      assert.equal((await relay.load.relayed(0)).relayed, 3);
    });

    test('one that is left out is missing', async () => {
      await using relay = await openRelay();
      const said = await relay.next(10);
      await relay.pass(0, said.slice(0, 5));
      await relay.pass(6, said.slice(6));
      assert.equal((await relay.load.report()).missing, 1);
      assert.equal((await relay.load.relayed(0)).relayed, 9);
    });

    test('at its end all has to have come; what follows may be silence', async () => {
      await using relay = await openRelay();
      const said = await relay.next(10);
      relay.load.hush(1);
      await relay.pass(0, said.slice(0, 8));
      const { notRelayed } = await relay.load.relayed(0);
      assert.ok(notRelayed >= 2, String(notRelayed));
      await relay.pass(8, [...said.slice(8), silence]);
      assert.equal((await relay.load.relayed(0)).notRelayed, notRelayed - 2);
      assert.equal((await relay.load.report()).wrong, 0);
    });

    test('who hears silence alone has missed everything', async () => {
      await using relay = await openRelay();
      await relay.next(10);
      await relay.pass(0, [silence, silence]);
      const { relayed: came, notRelayed } = await relay.load.relayed(0);
      assert.equal(came, 0);
      assert.ok(notRelayed >= 10, String(notRelayed));
    });

    test('a key on one side alone is an error', async () => {
      await using relay = await openRelay();
      assert.throws(() => relay.load.sendTo(0, { port: 9 }, { port: 9, key: Buffer.alloc(30) }), /SRTP/);
    });
  });
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket;
}
