import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goertzelDbov } from '../audio/goertzel.ts';
import { ToneGenerator } from '../audio/tone.ts';
import { sleep, systemClock } from '../clock.ts';
import { decodeUlaw, encodeUlaw } from '../codec/g711.ts';
import { newId } from '../ids.ts';
import { silentLogger } from '../logger.ts';
import type { WorkerEvent } from '../media/control.ts';
import { joinOf } from '../media/test-bench.ts';
import { TestPhone } from '../media/test-phone.ts';
import { type MasterKey, type NewRecordingKey, newRecordingKey } from '../spool/keys.ts';
import { MediaWorker, type MediaWorkerOptions } from './media-worker.ts';

/** A phone with its leg on a worker, that speaks one tone. */
export interface TestCall {
  legId: string;
  phone: TestPhone;
  frequencyHz: number;
  tone: ToneGenerator;
}

const partPackets = 40;
/** Half a minute. */
const maxParts = 40;

/** A real worker process with phones on the loopback, and everything cleaned up after the test. */
export class TestServer {
  readonly spoolDir = mkdtempSync(join(tmpdir(), 'callreel-worker-'));
  readonly events: WorkerEvent[] = [];
  readonly #calls: TestCall[] = [];
  /** How much each phone had received when somebody began to talk last. */
  readonly #receivedBefore = new Map<TestPhone, number>();
  #worker: MediaWorker | undefined;

  get options(): MediaWorkerOptions {
    return {
      clock: systemClock,
      log: silentLogger,
      workerId: 'test',
      mediaAddress: '127.0.0.1',
      ports: { first: 0, last: 0 },
      spoolDir: this.spoolDir,
      ringBytes: 1 << 20,
    };
  }

  get worker(): MediaWorker {
    if (!this.#worker) throw new TypeError('not started');
    return this.#worker;
  }

  async start(): Promise<MediaWorker> {
    this.#worker = await MediaWorker.start(this.options);
    this.#worker.onEvent((event) => this.events.push(event));
    return this.#worker;
  }

  async call(frequencyHz: number): Promise<TestCall> {
    const legId = newId();
    const phone = await TestPhone.open({ ssrc: frequencyHz });
    const call = {
      legId,
      phone,
      frequencyHz,
      tone: new ToneGenerator({ rateHz: 8000, frequencyHz, levelDbov: -15 }),
    };
    this.#calls.push(call);
    const { port } = await this.worker.send({ verb: 'leg.open', legId });
    phone.remotePort = port ?? 0;
    await this.worker.send(phone.negotiation(legId));
    return call;
  }

  join({ legId }: TestCall, roomId: string, overrides: Partial<ReturnType<typeof joinOf>> = {}) {
    return this.worker.send(joinOf(legId, roomId, { trackId: newId(), ...overrides }));
  }

  async record(roomId: string, masterKey: MasterKey): Promise<string> {
    const recordingId = newId();
    const key: NewRecordingKey = newRecordingKey(masterKey, recordingId);
    const meta = { test: true };
    await this.worker.send({
      verb: 'recording.start',
      recordingId,
      roomId,
      accountId: 'a',
      rateHz: 8000,
      key,
      meta,
    });
    return recordingId;
  }

  /** All these phones send their tones for so many packets of 20 ms; what they heard before does not count. */
  async talk(calls: TestCall[], packets: number): Promise<void> {
    for (const { phone } of this.#calls) this.#receivedBefore.set(phone, phone.received.length);
    const samples = new Int16Array(160);
    const payload = new Uint8Array(160);
    const startUs = systemClock.monotonicUs();
    for (let n = 1; n <= packets; n++) {
      for (const { phone, tone } of calls) {
        tone.write(samples);
        encodeUlaw(samples, payload);
        await phone.send({ payload });
      }
      await sleep(systemClock, Math.max(0, n * 20 - (systemClock.monotonicUs() - startUs) / 1000));
    }
  }

  /**
   * These phones send their tones until each of the listeners hears so many: of one part alone little may have got
   * through a worker that was held up.
   * @returns what each listener hears
   */
  async hearing(calls: TestCall[], listeners: TestCall[], tones: number): Promise<number[][]> {
    const heard = (): number[][] => listeners.map((listener) => this.hears(listener));
    await this.talk(calls, partPackets);
    for (let part = 1; part < maxParts && heard().some(({ length }) => length < tones); part++)
      await this.talk(calls, partPackets);
    return heard();
  }

  /** Which of all calls' tones this phone heard, by the second half of what it received of the last talk. */
  hears({ phone }: TestCall): number[] {
    const received = phone.received.slice(this.#receivedBefore.get(phone));
    const half = received.slice(Math.floor(received.length / 2));
    const samples = new Int16Array(half.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0));
    let at = 0;
    for (const packet of half) at += decodeUlaw(packet.payload(), samples, at);
    const frequencies = this.#calls.map(({ frequencyHz }) => frequencyHz);
    return frequencies.filter((frequencyHz) => goertzelDbov(samples, { rateHz: 8000, frequencyHz }) > -25);
  }

  /** Waits for an event that is there already or comes. */
  async event<E extends WorkerEvent['event']>(name: E): Promise<Extract<WorkerEvent, { event: E }>> {
    for (;;) {
      const index = this.events.findIndex(({ event }) => event === name);
      if (index >= 0) return this.events.splice(index, 1)[0] as Extract<WorkerEvent, { event: E }>;
      await new Promise<void>((resolve) => {
        const stop = this.worker.onEvent(() => {
          stop();
          resolve();
        });
      });
    }
  }

  async hangUp({ legId, phone }: TestCall): Promise<void> {
    await this.worker.send({ verb: 'leg.close', legId });
    this.#calls.splice(
      this.#calls.findIndex((call) => call.phone === phone),
      1,
    );
    await phone.close();
  }

  async close(): Promise<void> {
    for (const { phone } of this.#calls) await phone.close();
    if (this.#worker?.alive) {
      this.#worker.kill();
      await this.#worker.drain().catch(() => undefined);
    }
    rmSync(this.spoolDir, { recursive: true, force: true });
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
