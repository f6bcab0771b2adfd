import type { Clock } from '../clock.ts';
import { CommandExecutor, type RecordingControl } from '../media/command-executor.ts';
import type { Command, CommandReply, RecordingStart, WorkerEvent } from '../media/control.ts';
import type { PortRange } from '../rtp/port-range.ts';
import type { RtpTransport } from '../rtp/transport.ts';
import { DgramTransport } from '../rtp/transport-dgram.ts';
import { SpoolProducer } from '../spool/producer.ts';
import type { EndReason } from '../spool/records.ts';
import type { WriterMessage } from '../spool/writer.ts';
import { Capture } from './capture.ts';
import { Recordings } from './recordings.ts';

const picture = `
            .-------------------------- tick thread --------------------------.     .- writer thread -.
  RTP in -->| transport --> media-session --> capture --> spool producer ====ring====> writer         |
            |                     |                                           |     |    |            |
            |                     v                                           |     |    v            |
            |               jitter-buffer                                     |     |  journal, files |
            |                     |                                           |     '-----------------'
            |                     v   every 20 ms                             |
  RTP out <-| transport <-- rtp-sender <-- room (mix-minus)                   |
            '-----------------------------------------------------------------'
`;

/** The way of a packet through a media worker, as this file wires it. */
export function describePipeline(): string {
  return picture.slice(1);
}

export interface PipelineOptions {
  clock: Clock;
  mediaAddress: string;
  ports: PortRange;
  /** To the writer thread. */
  ring: SharedArrayBuffer;
  /** Asks the writer thread; settles with its answer. */
  settle(roomId: string): Promise<void>;
  post(event: WorkerEvent): void;
}

/** Everything on the tick thread of one media worker. */
export class Pipeline {
  readonly #transport: RtpTransport;
  readonly #executor: CommandExecutor;
  readonly #capture: Capture;
  readonly #recordings: Recordings;
  /** Commanded and not yet ended on disk. */
  readonly #recordingIds = new Set<string>();
  readonly #clock: Clock;

  constructor({ clock, mediaAddress, ports, ring, settle, post }: PipelineOptions) {
    this.#clock = clock;
    const spool = new SpoolProducer(ring);
    const emit = (event: WorkerEvent): void => {
      if (event.event === 'recording.ended') this.#recordingIds.delete(event.recordingId);
      post(event);
    };
    const capture = new Capture({ spool, clock });
    const recordings = new Recordings({ capture, spool, emit });
    const transport = new DgramTransport({ clock, address: mediaAddress, ports });
    const control: RecordingControl = {
      get count(): number {
        return recordings.count;
      },
      get ringOverflows(): number {
        return spool.overflows;
      },
      start: (command, atUs) => this.#startRecording(command, atUs),
      stop: (recordingId, reason, atUs) => recordings.stop(recordingId, reason, atUs),
      settle,
    };
    this.#capture = capture;
    this.#recordings = recordings;
    this.#transport = transport;
    this.#executor = new CommandExecutor({ clock, transport, capture, recordings: control, post });
  }

  get driver(): RtpTransport['driver'] {
    return this.#transport.driver;
  }

  /** Recordings that are not yet ended on disk. */
  get openRecordings(): number {
    return this.#recordings.count;
  }

  /** Whether a draining worker has nothing left to do. */
  get drained(): boolean {
    return this.#executor.drained;
  }

  /** Begins to receive, mix and send; `atTick` comes before the mixing of each tick. */
  run(atTick: () => void): void {
    this.#transport.run((nowUs) => {
      atTick();
      this.#executor.tick(nowUs);
      this.#capture.tick();
    });
  }

  /** @throws CallreelError */
  execute(command: Command): Promise<CommandReply> {
    return this.#executor.execute(command);
  }

  writerReported(message: WriterMessage): void {
    this.#recordings.writerReported(message);
  }

  endRecordings(reason: EndReason): void {
    const atUs = this.#clock.monotonicUs();
    for (const recordingId of this.#recordingIds) this.#recordings.stop(recordingId, reason, atUs);
  }

  stop(): Promise<void> {
    return this.#transport.stop();
  }

  #startRecording(command: RecordingStart, atUs: number): void {
    this.#recordings.start(command, atUs);
    this.#recordingIds.add(command.recordingId);
  }
}
