import { setImmediate } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { sleep } from '../../src/clock.ts';
import { chooseTransport as chooseReal, type TransportOptions } from '../../src/rtp/choose-transport.ts';
import {
  type Datagram,
  type DatagramSink,
  type RtpTransport,
  type TransportPort,
  tickPeriodUs,
} from '../../src/rtp/transport.ts';
import { freeRingBytes } from '../../src/spool/ring.ts';
import { drive, machineClock, release, threadUs } from './clock.ts';
import { takeOrders } from './orders.ts';
import { PortStream } from './port-stream.ts';

/** Between two looks at what else the thread has to do. */
const ticksPerTurn = 40;
const ringPollMs = 2;
/** A phone that sends, sends every 20 ms, and one that is late sends all of it in less than so many looks. */
const heardWithinUs = 60_000;
const lookMs = 20;
const looks = 5;
/** Who has sent nothing for so long says nothing. */
const longestSilenceUs = 5_000_000;

/**
 * The driver over sockets, whose time can be driven: then no datagram of the network is taken and none is sent, the
 * streams of the ports go on by themselves, and the ticks come as fast as they can be done.
 */
class DrivenTransport implements RtpTransport {
  readonly driver: RtpTransport['driver'];
  readonly #real: RtpTransport;
  readonly #streams = new Map<number, PortStream>();
  readonly #ring: SharedArrayBuffer = workerData.ring;
  readonly #scratch = new Uint8Array(4096);
  #ticks: ((nowUs: number) => void)[] = [];
  #driving = false;

  constructor(real: RtpTransport) {
    this.#real = real;
    this.driver = real.driver;
    void takeOrders('media', Number(new URL(import.meta.url).searchParams.get('port')), (ms) =>
      this.#forward(ms),
    );
  }

  get note(): string | undefined {
    return this.#real.note;
  }

  get counters(): RtpTransport['counters'] {
    return this.#real.counters;
  }

  async open(sink: DatagramSink): Promise<TransportPort> {
    const stream = new PortStream(sink);
    const port = await this.#real.open(this.#gate(stream));
    this.#streams.set(port.port, stream);
    return this.#outward(port);
  }

  /** What sender reports say of RTP time holds for the phone's own alone. */
  async openRtcp(rtp: TransportPort, _sink: DatagramSink): Promise<TransportPort | undefined> {
    const port = await this.#real.openRtcp(rtp, { receive: () => undefined });
    return port && this.#outward(port);
  }

  run(...ticks: ((nowUs: number) => void)[]): void {
    this.#ticks = ticks;
    this.#real.run(() => {
      if (!this.#driving) this.#tick(threadUs());
    });
  }

  stop(): Promise<void> {
    return this.#real.stop();
  }

  #tick(nowUs: number): void {
    for (const tick of this.#ticks) tick(nowUs);
  }

  #gate(stream: PortStream): DatagramSink {
    return {
      receive: (datagram: Datagram) => {
        stream.heardUs = machineClock.monotonicUs();
        if (this.#driving) return;
        const aheadUs = threadUs() - machineClock.monotonicUs();
        datagram.arrivalUs += aheadUs;
        stream.receive(datagram, aheadUs);
      },
    };
  }

  #outward(port: TransportPort): TransportPort {
    return {
      port: port.port,
      reserve: (maxBytes) => (this.#driving ? this.#scratch : port.reserve(maxBytes)),
      commit: (bytes, address, remotePort) => {
        if (!this.#driving) port.commit(bytes, address, remotePort);
      },
      close: () => {
        this.#streams.delete(port.port);
        port.close();
      },
    };
  }

  /** @returns packets made */
  async #forward(durationMs: number): Promise<number> {
    await this.#untilHeard();
    let nowUs = Math.ceil(threadUs() / tickPeriodUs) * tickPeriodUs;
    const untilUs = nowUs + durationMs * 1000;
    this.#driving = true;
    drive(nowUs);
    for (const stream of this.#streams.values()) stream.begin(nowUs);
    let made = 0;
    for (let turn = 1; nowUs < untilUs; turn++) {
      nowUs += tickPeriodUs;
      drive(nowUs);
      for (const stream of this.#streams.values()) for (; stream.dueUs <= nowUs; made++) stream.make();
      this.#tick(nowUs);
      if (turn % ticksPerTurn === 0) await this.#turn();
    }
    await this.#untilHeard();
    release();
    this.#driving = false;
    return made;
  }

  /**
   * Every phone that talks is on time: where their process had to wait for a processor, time that begins to be driven, or
   * goes on by itself, would make a pause of that which nobody made.
   */
  async #untilHeard(): Promise<void> {
    const untilUs = machineClock.monotonicUs() + longestSilenceUs;
    for (let heard = 0; heard < looks && machineClock.monotonicUs() < untilUs; ) {
      await sleep(machineClock, lookMs);
      const nowUs = machineClock.monotonicUs();
      const silences = [...this.#streams.values()].map(({ heardUs }) => nowUs - heardUs);
      const areLate = silences.some((us) => us > heardWithinUs && us < longestSilenceUs);
      heard = areLate ? 0 : heard + 1;
    }
  }

  /** Control messages have their turn, and the writer its time: nothing may be dropped. */
  async #turn(): Promise<void> {
    await setImmediate();
    while (freeRingBytes(this.#ring) < this.#ring.byteLength / 2) await sleep(machineClock, ringPollMs);
  }
}

/** Stands in for that of `rtp/choose-transport`. */
export function chooseTransport(options: TransportOptions): RtpTransport {
  return new DrivenTransport(chooseReal({ ...options, clock: machineClock }));
}
