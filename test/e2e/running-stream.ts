import { sleep, systemClock } from '../../src/clock.ts';
import { type LineCodecName, lineCodecs, packetSamples, ptimeMs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneSrtp } from '../../src/testkit/phone-srtp.ts';
import { RtpSocket } from '../../src/testkit/rtp-socket.ts';

/** How a stream is sent from some packet on. */
export interface StreamForm {
  codec: LineCodecName;
  ssrc: number;
  socket: RtpSocket;
  srtp: PhoneSrtp | undefined;
  /** On hold nothing is sent, and the RTP clock runs on. */
  speaks: boolean;
}

/**
 * One endless voice, a packet every 20 ms whatever the signalling does meanwhile, as a real phone sends. Its form
 * changes between two packets; each packet's samples are to be found nowhere else.
 */
export class RunningStream {
  form: StreamForm;
  /** What was sent, packet by packet, as it is to be recorded. */
  readonly sent: Int16Array[] = [];
  readonly #voice: Int16Array;
  readonly #sockets: RtpSocket[] = [];
  #ticks = 0;
  #waiting: { untilTick: number; resolve: () => void }[] = [];
  #runs = true;
  readonly #ended: Promise<void>;

  private constructor(form: StreamForm, seed: number) {
    this.form = form;
    this.#sockets.push(form.socket);
    this.#voice = noise({ samples: packetSamples * 1000, seed });
    this.#ended = this.#run();
  }

  /** From a port of its own, which has nowhere to send yet. */
  static async open(seed: number, codec: LineCodecName = 'PCMU'): Promise<RunningStream> {
    const socket = await RtpSocket.open('127.0.0.1', systemClock);
    return new RunningStream({ codec, ssrc: seed, socket, srtp: undefined, speaks: true }, seed);
  }

  async anotherPort(): Promise<RtpSocket> {
    const socket = await RtpSocket.open('127.0.0.1', systemClock);
    this.#sockets.push(socket);
    return socket;
  }

  /** Settles when so many more packets' times have passed. */
  passed(packets: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ untilTick: this.#ticks + packets, resolve }));
  }

  async stop(): Promise<void> {
    this.#runs = false;
    await this.#ended;
    for (const socket of this.#sockets) socket.close();
  }

  async #run(): Promise<void> {
    const startUs = systemClock.monotonicUs();
    for (; this.#runs; this.#ticks++) {
      this.#send();
      const dueMs = (startUs - systemClock.monotonicUs()) / 1000 + (this.#ticks + 1) * ptimeMs;
      await sleep(systemClock, Math.max(dueMs, 0));
      const due = this.#waiting.filter(({ untilTick }) => untilTick <= this.#ticks + 1);
      this.#waiting = this.#waiting.filter((each) => !due.includes(each));
      for (const { resolve } of due) resolve();
    }
  }

  #send(): void {
    const { codec: name, ssrc, socket, srtp, speaks } = this.form;
    if (!socket.remote || !speaks) return;
    const codec = lineCodecs[name];
    const at = this.#ticks * packetSamples;
    const payload = codec.encode(this.#voice.subarray(at, at + packetSamples));
    socket.srtp = srtp;
    socket.send({
      payload,
      ssrc,
      sequenceNumber: (100 + this.sent.length) & 0xffff,
      rtpTime: 1000 + at,
      payloadType: codec.payloadType,
      marker: this.sent.length === 0,
      durationSamples: packetSamples,
    });
    this.sent.push(codec.decode(payload));
  }
}
