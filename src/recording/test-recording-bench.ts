import { createEncoder } from '../codec/encoders.ts';
import { wavHeaderBytes } from '../container/wav.ts';
import { slotUs } from '../media/codec-table.ts';
import { CommandExecutor } from '../media/command-executor.ts';
import type { CallCapture, Command, LegNegotiate, RecordingStart, WorkerEvent } from '../media/control.ts';
import { processUsage } from '../media/process-usage.ts';
import { joinOf } from '../media/test-bench.ts';
import { TestPhone, turnEventLoop } from '../media/test-phone.ts';
import { recordingView } from '../render/recording-view.ts';
import { openRendition, type RenditionRequest } from '../render/rendition.ts';
import { DgramTransport } from '../rtp/transport-dgram.ts';
import { newRecordingKey } from '../spool/keys.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import { openSpool, type SpoolRecording } from '../spool/reader.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { Capture } from './capture.ts';
import { Recordings } from './recordings.ts';

/** A media worker's media and recording stages over real sockets and files, on a clock that the test moves. */
export class RecordingBench {
  readonly spool = new TestSpool();
  readonly events: WorkerEvent[] = [];
  readonly executor: CommandExecutor;
  readonly recordings: Recordings;
  readonly #transport: DgramTransport;
  readonly #capture: Capture;
  readonly #phones: TestPhone[] = [];

  constructor() {
    const { clock, producer } = this.spool;
    const post = (event: WorkerEvent): void => void this.events.push(event);
    this.#capture = new Capture({ spool: producer, clock });
    this.recordings = new Recordings({ capture: this.#capture, spool: producer, emit: post });
    this.#transport = new DgramTransport({ clock, address: '127.0.0.1', ports: { first: 0, last: 0 } });
    this.executor = new CommandExecutor({
      ...{ clock, transport: this.#transport, capture: this.#capture, recordings: this.recordings, post },
      usage: processUsage,
    });
    this.#transport.run((nowUs) => this.executor.tick(nowUs));
    // Slots begin at whole multiples of 20 ms, so does the first.
    clock.advanceMs((slotUs - (clock.monotonicUs() % slotUs)) / 1000);
  }

  execute(command: Command) {
    return this.executor.execute(command);
  }

  async call(legId: string, overrides: Partial<LegNegotiate> = {}): Promise<TestPhone> {
    const phone = await TestPhone.open({ ssrc: 1000 + this.#phones.length, timestamp: 0, sequenceNumber: 0 });
    this.#phones.push(phone);
    const { port } = await this.execute({ verb: 'leg.open', legId });
    phone.remotePort = port ?? 0;
    await this.execute(phone.negotiation(legId, overrides));
    return phone;
  }

  /** A leg that we called and that has not answered yet: `answer` agrees. */
  async ring(legId: string): Promise<{ phone: TestPhone; answer(): Promise<unknown> }> {
    const phone = await TestPhone.open({ ssrc: 1000 + this.#phones.length, timestamp: 0, sequenceNumber: 0 });
    this.#phones.push(phone);
    const { port } = await this.execute({ verb: 'leg.open', legId, awaitsAnswer: true });
    phone.remotePort = port ?? 0;
    return { phone, answer: async () => await this.execute(phone.negotiation(legId)) };
  }

  /** Records the leg's call by itself. */
  async record(legId: string, recordingId: string, overrides: Partial<RecordingStart> = {}): Promise<void> {
    await this.#start(recordingId, `call-${legId}`, { call: callOf(legId), ...overrides });
  }

  async recordRoom(
    roomId: string,
    recordingId: string,
    overrides: Partial<RecordingStart> = {},
  ): Promise<void> {
    await this.#start(recordingId, roomId, overrides);
  }

  async #start(recordingId: string, roomId: string, overrides: Partial<RecordingStart>): Promise<void> {
    const key = newRecordingKey(this.spool.masterKey, recordingId);
    await this.execute({
      ...{ verb: 'recording.start', recordingId, roomId, accountId: 'account', rateHz: 8000, key, meta: {} },
      ...overrides,
    });
  }

  join(legId: string, roomId: string, overrides: Partial<Command & { verb: 'room.join' }> = {}) {
    return this.execute(joinOf(legId, roomId, overrides));
  }

  /**
   * Lets slots of 20 ms pass; each phone that is named says one packet of its samples in each.
   * @param talking what each says, 160 samples a slot; shorter: silence behind it
   */
  async slots(count: number, talking: readonly [TestPhone, Int16Array][] = []): Promise<void> {
    const payload = new Uint8Array(160);
    const encoder = createEncoder('PCMU', 8000);
    for (let slot = 0; slot < count; slot++) {
      for (const [phone, samples] of talking) {
        const frame = new Int16Array(160);
        frame.set(samples.subarray(slot * 160, slot * 160 + 160));
        encoder.encode(frame, payload);
        await phone.send({ payload });
      }
      for (let tick = 0; tick < 4; tick++) {
        this.spool.clock.advanceMs(5);
        this.#capture.tick();
      }
      if (slot % 3 === 2) this.pump();
    }
    await turnEventLoop();
    this.pump();
  }

  /** Lets time pass; what was spooled in it is in the ring. */
  advanceUs(us: number): void {
    this.spool.clock.advanceUs(us);
    this.#capture.tick();
  }

  /** What has come is taken, as it is before each command of a media worker. */
  async receive(): Promise<void> {
    await turnEventLoop();
    this.spool.clock.advanceMs(5);
    this.#capture.tick();
  }

  /** What the writer thread does meanwhile. */
  pump(): void {
    this.spool.pump();
    for (const message of this.spool.messages.splice(0)) this.recordings.writerReported(message);
  }

  open(recordingId: string, roomId: string): SpoolRecording {
    const directory = conversationDirectoryOf(this.spool.spoolDirectory, roomId);
    return openSpool(directory, recordingId, this.spool.masterKey);
  }

  /** The samples of a file of the recording. */
  async render(
    recordingId: string,
    roomId: string,
    request: RenditionRequest = { kind: 'mix', format: 'wav' },
  ): Promise<Int16Array> {
    const rendition = openRendition(recordingView(this.open(recordingId, roomId)), request);
    const bytes = Buffer.concat(await Array.fromAsync(rendition.read()));
    return new Int16Array(Uint8Array.from(bytes.subarray(wavHeaderBytes)).buffer);
  }

  async close(): Promise<void> {
    await this.#transport.stop();
    for (const phone of this.#phones) await phone.close();
    this.spool.remove();
  }
}

export function callOf(legId: string): CallCapture {
  return {
    legId,
    saidTrackId: `said-${legId}`,
    heardTrackId: `heard-${legId}`,
    party: {
      connectionId: legId,
      from: '+46700000001',
      to: '+46700000002',
      direction: 'incoming',
      role: 'participant',
    },
  };
}
