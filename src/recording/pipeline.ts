import type { Clock } from '../clock.ts';
import { CommandExecutor } from '../media/command-executor.ts';
import type { WorkerEvent } from '../media/control.ts';
import { processUsage } from '../media/process-usage.ts';
import { chooseTransport } from '../rtp/choose-transport.ts';
import type { PortRange } from '../rtp/port-range.ts';
import type { DriverSetting, MayStay, RtpTransport, SteeringSetting } from '../rtp/transport.ts';
import { SpoolProducer } from '../spool/producer.ts';
import { Capture } from './capture.ts';
import { Recordings } from './recordings.ts';

const picture = `
            .-------------------------- tick thread --------------------------.     .- writer thread -.
  RTP in -->| transport --> media-session --> capture --> spool producer ====ring====> writer         |
            |                 |       |                                       |     |    |            |
            |                 v       v                                       |     |    v            |
            |               relay   jitter-buffer                             |     |  journal, files |
            |   at once, to   |       |                                       |     '-----------------'
            |  the other leg  |       v   every 20 ms                         |
            |                 |     room (mix-minus)                          |
            |                 v       v                                       |
            |                leg-output <-- player, digit-sender              |
            |                     |                                           |
            |                     v                                           |
  RTP out <-| transport <-- rtp-sender                                        |
            '-----------------------------------------------------------------'
`;

/** The way of a packet through a media worker, as this file wires it. */
export function describePipeline(): string {
  return picture.slice(1);
}

export interface PipelineOptions {
  clock: Clock;
  driver: DriverSetting;
  steering?: SteeringSetting;
  mediaAddress: string;
  ports: PortRange;
  /** To the writer thread. */
  ring: SharedArrayBuffer;
  /** Asks the writer thread; settles with its answer. */
  settle(roomIds: readonly string[]): Promise<void>;
  post(event: WorkerEvent): void;
  mayStay: MayStay;
}

/** Everything on the tick thread of one media worker. */
export class Pipeline {
  /** Takes the commands; the pipeline itself stands on nobody's stack. */
  readonly executor: CommandExecutor;
  readonly recordings: Recordings;
  readonly #transport: RtpTransport;
  readonly #capture: Capture;

  constructor({
    clock,
    driver,
    steering,
    mediaAddress,
    ports,
    ring,
    settle,
    post,
    mayStay,
  }: PipelineOptions) {
    const spool = new SpoolProducer(ring);
    const capture = new Capture({ spool, clock });
    const recordings = new Recordings({ capture, spool, emit: post, settle });
    const transport = chooseTransport({ driver, steering, clock, address: mediaAddress, ports, mayStay });
    this.#capture = capture;
    this.#transport = transport;
    this.recordings = recordings;
    this.executor = new CommandExecutor({ clock, transport, capture, recordings, usage: processUsage, post });
  }

  /** Which one takes and sends what there is. */
  get transport(): Pick<RtpTransport, 'driver' | 'note' | 'steering'> {
    return this.#transport;
  }

  /** Begins to receive, mix and send; `atTick` comes before the mixing of each tick. */
  run(atTick: () => void): void {
    const { executor } = this;
    this.#transport.run(
      atTick,
      (nowUs) => executor.tick(nowUs),
      () => this.#capture.tick(),
    );
  }

  stop(): Promise<void> {
    return this.#transport.stop();
  }
}
