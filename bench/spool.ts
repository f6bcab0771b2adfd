import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GrowingRecording } from '../src/spool/growing-recording.ts';
import type { OpenSegment } from '../src/spool/producer.ts';
import { TestSpool, testParty } from '../src/spool/test-spool.ts';
import { FileDesk } from '../src/worker/file-desk.ts';
import { formatTable } from './table.ts';

const turnMs = 80;
const packetMs = 20;
const packetUs = packetMs * 1000;
const payload = Buffer.alloc(160, 0x55);
const partiesPerCall = 2;

/** What the rest of a machine keeps in the caches between two turns. */
let others = new Float64Array(0);

function useCaches(): void {
  for (let i = 0; i < others.length; i += 8) others[i]! += 1;
}

interface Call {
  recordingId: string;
  conversationId: string;
  segments: OpenSegment[];
  growing: GrowingRecording;
}

/**
 * What the spool alone costs: the writer's turns for so many two-party calls (G.711, nothing of the network), each of
 * them settled and read along every `--look-ms`, and a stereo WAV file of it written along; on a clock of its own and on
 * the disk of the temporary directory.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      calls: { type: 'string', default: '500' },
      seconds: { type: 'string', default: '30' },
      evict: { type: 'string', default: '0' },
      // After so long a recording is settled and read, as by who writes the files of many along.
      'look-ms': { type: 'string', default: '4000' },
      'writer-only': { type: 'boolean', default: false },
    },
  });
  const [calls, seconds] = [Number(values.calls), Number(values.seconds)];
  others = new Float64Array((Number(values.evict) * 1024 * 1024) / 8);
  const bench = new SpoolBench(calls, Number(values['look-ms']), values['writer-only']);
  try {
    // Once to warm up.
    bench.record(Math.min(10, seconds));
    bench.costs = newCosts();
    bench.record(seconds);
    return report(bench, calls, seconds);
  } finally {
    bench.remove();
  }
}

interface Cost {
  threadUs: number;
  processUs: number;
}

const newCost = (): Cost => ({ threadUs: 0, processUs: 0 });
const newCosts = () => ({ write: newCost(), settle: newCost(), read: newCost(), file: newCost() });

class SpoolBench {
  costs = newCosts();
  recordsRead = 0;
  readonly #spool = new TestSpool({ ringBytes: 1 << 25 });
  readonly #desk: FileDesk;
  readonly #calls: Call[];
  readonly #writerOnly: boolean;
  readonly #turnsPerLook: number;
  #slot = 0;
  #turn = 0;

  constructor(calls: number, lookMs: number, writerOnly: boolean) {
    this.#turnsPerLook = Math.round(lookMs / turnMs);
    this.#writerOnly = writerOnly;
    const { spoolDirectory: spoolDir, masterKey, clock } = this.#spool;
    this.#desk = new FileDesk({ spoolDir, masterKey, clock, lossConcealment: 'on' });
    this.#calls = Array.from({ length: calls }, (_, number) => this.#open(number));
    this.#spool.pump();
  }

  record(seconds: number): void {
    for (let ms = 0; ms < seconds * 1000; ms += turnMs) this.#takeTurn();
  }

  remove(): void {
    this.#spool.remove();
  }

  #open(number: number): Call {
    const { producer, spoolDirectory, masterKey } = this.#spool;
    const recordingId = `r${number}`;
    const conversationId = `c${number}`;
    this.#spool.startRecording(recordingId, { conversationId });
    const segments = Array.from({ length: partiesPerCall }, (_, party) => {
      const trackId = `t${party}`;
      const side = party === 0 ? 'said' : 'heard';
      producer.append(recordingId, { type: 'track', trackId, startSample: 0, party: testParty, side });
      const segmentId = (number * partiesPerCall + party).toString(16).padStart(16, '0');
      const wants = [{ recordingId, startSample: 0 }];
      const segment = producer.openSegment({ segmentId, conversationId, trackId, wants });
      producer.format(segment, { codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 1 }, 0);
      return segment;
    });
    const path = join(this.#spool.dataDirectory, 'files', `${recordingId}.wav`);
    this.#desk.follow({ conversationId, recordingId, path, format: 'wav', stereo: true });
    const growing = new GrowingRecording(`${spoolDirectory}/${conversationId}`, recordingId, masterKey);
    return { recordingId, conversationId, segments, growing };
  }

  #takeTurn(): void {
    const { producer, clock, writer } = this.#spool;
    for (let ms = 0; ms < turnMs; ms += packetMs, this.#slot++)
      for (const { segments } of this.#calls)
        for (const segment of segments)
          producer.packet(segment, this.#slot & 0xffff, this.#slot * 160, this.#slot * packetUs, payload);
    clock.advanceMs(turnMs);
    useCaches();
    measured(this.costs.write, () => this.#spool.pump());
    if (++this.#turn % this.#turnsPerLook !== 0) return;
    useCaches();
    measured(this.costs.settle, () => {
      for (const { conversationId } of this.#calls) writer.settleConversation(conversationId);
    });
    if (this.#writerOnly) return;
    measured(this.costs.read, () => {
      for (const { growing } of this.#calls) this.#read(growing);
    });
    const recordingIds = this.#calls.map(({ recordingId }) => recordingId);
    measured(this.costs.file, () => {
      const [failure] = this.#desk.step(recordingIds);
      if (failure) throw new Error(failure.error.message);
    });
  }

  #read(growing: GrowingRecording): void {
    for (const { trackId } of growing.look().tracks) {
      const track = growing.track(trackId);
      while (!track.next().done) this.recordsRead++;
    }
  }
}

function measured(cost: Cost, work: () => void): void {
  const thread = process.threadCpuUsage();
  const whole = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(whole);
  const of = process.threadCpuUsage(thread);
  cost.threadUs += of.user + of.system;
  cost.processUs += user + system;
}

function report({ costs, recordsRead }: SpoolBench, calls: number, seconds: number): object {
  const minutes = (calls * seconds) / 60;
  const packets = (calls * partiesPerCall * seconds * 1000) / packetMs;
  const figures = (cost: Cost) => ({
    usPerPacket: rounded(cost.threadUs / packets),
    secondsPerCallMinute: rounded(cost.threadUs / 1e6 / minutes),
    withGarbage: rounded(cost.processUs / 1e6 / minutes),
  });
  const rows = Object.entries(costs)
    .filter(([, cost]) => cost.processUs > 0)
    .map(([name, cost]) => [name, ...Object.values(figures(cost))]);
  const head = ['', 'us per packet', 'CPU s per call-minute', 'with other threads'];
  process.stdout.write(`${formatTable(head, rows)}\n`);
  const costsOf = Object.fromEntries(Object.entries(costs).map(([name, cost]) => [name, figures(cost)]));
  return { calls, seconds, recordsRead, ...costsOf };
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
