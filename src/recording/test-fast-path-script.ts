import type { Command, LegNegotiate, RoomMode } from '../media/control.ts';
import { randomOf } from '../timeline/test-random.ts';
import type { Happening } from './test-fast-path-bench.ts';
import { callOf } from './test-recording-bench.ts';

const address = '10.0.0.1';
const pcmu = { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 } as const;
const pcma = { payloadType: 8, codec: 'PCMA', clockRateHz: 8000 } as const;
/** Of another rate than the rooms have, but where two are sent it. */
const g722 = { payloadType: 9, codec: 'G722', clockRateHz: 8000 } as const;
const key = { plain: Buffer.alloc(32, 7).toString('base64'), sealed: '' };
const roomId = 'room';
const momentTicks = 300;
/** Of 256 packets so many are silence. */
const silentShare = 64;
/** By payload type: bytes that nobody hears, and most of them. */
const silences: Readonly<Record<number, readonly number[]>> = {
  0: [0xff, 0x7f, 0xfe, 0x7e],
  8: [0xd5, 0x55, 0xd5, 0x55],
};

interface Turn {
  happenings: Happening[];
  missedTicks: number;
}

interface TestStream {
  sequenceNumber: number;
  rtpTime: number;
  ssrc: number;
  payloadType: number;
  bytes: number;
  port: number;
  silentFor: number;
  /** What it sends is held up. */
  stalledFor: number;
  held: Happening[];
  /** The last ones. */
  sent: Happening[];
  event: { rtpTime: number; left: number } | undefined;
}

/**
 * Two legs that are relayed to each other and recorded, a third one now and then, or three that are mixed; what their phones, the network and
 * the server do by chance, the more of it the greater `trouble` is.
 */
export class FastPathScript {
  readonly #random: () => number;
  readonly #mostTrouble: number;
  /** For now: histories have quiet moments. */
  #trouble: number;
  readonly #streams: TestStream[] = [0, 1, 2].map((leg) => ({
    sequenceNumber: 65_400 + leg,
    rtpTime: 2 ** 32 - 160 * 100 * (leg + 1),
    ssrc: 0x8000_0000 + leg,
    ...{ payloadType: 0, bytes: 160, port: 40_000 + leg, silentFor: 0, stalledFor: 0 },
    ...{ held: [], sent: [], event: undefined },
  }));
  #ids = 0;
  #recordings: string[] = [];

  readonly #mode: RoomMode;

  constructor(seed: number, trouble: number, mode: RoomMode) {
    this.#mode = mode;
    this.#random = randomOf(seed);
    this.#mostTrouble = this.#trouble = trouble;
  }

  begin(): Command[] {
    const isOfRoom = this.#chance(0.5);
    const commands: Command[] = isOfRoom ? [this.#start()] : [];
    for (const leg of [0, 1, 2]) {
      commands.push({ verb: 'leg.open', legId: `leg-${leg}`, awaitsAnswer: !this.#often(0.7) });
      commands.push(this.#negotiation(leg));
      if (leg < 2 || this.#mode === 'mix') commands.push(this.#join(leg));
    }
    if (!isOfRoom) commands.push(this.#start(this.#below(2)));
    return commands;
  }

  turn(tick: number): Turn {
    const happenings: Happening[] = [];
    if (tick % momentTicks === 0)
      this.#trouble = this.#chance(0.5) ? this.#mostTrouble : this.#mostTrouble / 50;
    for (const leg of [0, 1, 2]) if (tick % 4 === leg) this.#speak(leg, happenings);
    if (this.#chance(0.02 * this.#trouble)) happenings.push({ kind: 'command', command: this.#command() });
    if (this.#chance(0.1)) happenings.push({ kind: 'drain' });
    const missedTicks = this.#chance(0.001 * this.#trouble) ? this.#below(60) : 0;
    return { happenings, missedTicks };
  }

  /** Whatever runs is ended. */
  end(): Happening[] {
    const commands: Command[] = [0, 1, 2].map((leg) => ({ verb: 'leg.close', legId: `leg-${leg}` }));
    commands.push({ verb: 'room.close', roomId });
    return [...commands.map((command) => ({ kind: 'command', command }) as const), { kind: 'drain' }];
  }

  #speak(leg: number, out: Happening[]): void {
    const stream = this.#streams[leg]!;
    if (stream.stalledFor > 0) stream.stalledFor--;
    else out.push(...stream.held.splice(0));
    if (stream.silentFor > 0) {
      stream.silentFor--;
      stream.rtpTime = (stream.rtpTime + 160) >>> 0;
      return;
    }
    if (this.#chance(0.05 * this.#trouble)) this.#disturb(stream, out, leg);
    if (stream.event) {
      this.#press(leg, stream, out);
      return;
    }
    const sent = this.#packet(leg, stream, {});
    stream.sent = [sent, ...stream.sent.slice(0, 80)];
    const isHeld = stream.stalledFor > 0;
    if (!this.#chance(0.01 * this.#trouble)) (isHeld ? stream.held : out).push(sent);
    if (this.#chance(0.005 * this.#trouble)) out.push(sent);
    if (this.#chance(0.005 * this.#trouble)) stream.held.push(...out.splice(-1));
  }

  /** @returns what goes out with the stream's next number */
  #packet(
    leg: number,
    stream: TestStream,
    given: { payload?: Uint8Array; head?: number; second?: number },
  ): Happening {
    const { head = 0x80, second = stream.payloadType } = given;
    const extra = head === 0x80 ? 0 : head === 0x81 || head === 0x90 ? 4 : 0;
    const first = this.#below(256);
    const saidNow = new Uint8Array(stream.bytes).map((_, i) => first + (i % 7));
    const silence = silences[stream.payloadType] ?? silences[0]!;
    if (first < silentShare)
      for (let i = 0; i < saidNow.length; i++) saidNow[i] = silence[((first * i) % 5) & 3]!;
    const payload = given.payload ?? saidNow;
    const data = new Uint8Array(12 + extra + payload.length);
    const view = new DataView(data.buffer);
    data[0] = head;
    data[1] = second;
    view.setUint16(2, stream.sequenceNumber);
    view.setUint32(4, stream.rtpTime);
    view.setUint32(8, stream.ssrc);
    data.set(payload, 12 + extra);
    if (head === 0xa0 && payload.length > 0) data[data.length - 1] = 1;
    stream.sequenceNumber = (stream.sequenceNumber + 1) & 0xffff;
    stream.rtpTime = (stream.rtpTime + stream.bytes) >>> 0;
    return this.#from(leg, data, stream.port);
  }

  #from(leg: number, data: Uint8Array, port: number, rtcp = false): Happening {
    return { kind: 'packet', leg, data, address, port, ageUs: this.#below(3000), rtcp };
  }

  #disturb(stream: TestStream, out: Happening[], leg: number): void {
    const noise = new Uint8Array(1 + this.#below(40)).fill(this.#below(256));
    const disturbances: (() => void)[] = [
      () => (stream.silentFor = this.#below(80)),
      () => (stream.silentFor = 1 + this.#below(3)),
      () => (stream.stalledFor = 1 + this.#below(20)),
      () => (stream.stalledFor = 1 + this.#below(3)),
      () => (stream.ssrc = (stream.ssrc + 16) >>> 0),
      () => (stream.payloadType ^= 8),
      () => (stream.port += 10),
      () => {
        stream.port += 10;
        stream.sequenceNumber = (stream.sequenceNumber + 150 + this.#below(150)) & 0xffff;
      },
      () => out.push(...stream.sent.slice(this.#below(80)).slice(0, 1)),
      () => (stream.rtpTime = (stream.rtpTime + this.#below(100_000)) >>> 0),
      () => (stream.sequenceNumber = (stream.sequenceNumber + this.#below(5000)) & 0xffff),
      () => (stream.bytes = 80 * (1 + this.#below(3))),
      () => (stream.event = { rtpTime: stream.rtpTime, left: 3 + this.#below(8) }),
      () => out.push(this.#packet(leg, stream, { second: 0x80 | stream.payloadType })),
      () => out.push(this.#packet(leg, stream, { head: [0x81, 0x90, 0xa0][this.#below(3)]! })),
      () => out.push(this.#packet(leg, stream, { payload: new Uint8Array(0) })),
      () => out.push(this.#packet(leg, stream, { payload: new Uint8Array(1).fill(60), second: 13 })),
      () => out.push(this.#packet(leg, stream, { second: 77 })),
      () => out.push(this.#from(leg, noise, stream.port)),
      () => out.push({ ...this.#from(leg, this.#stray(), 999), address: '10.9.9.9' } as Happening),
      () => out.push(this.#report(leg, stream)),
      () => out.push(this.#report(leg, stream)),
    ];
    disturbances[this.#below(disturbances.length)]!();
  }

  #stray(): Uint8Array {
    const data = new Uint8Array(172).fill(this.#below(256));
    data[0] = 0x80;
    data[1] = 0;
    return data;
  }

  #press(leg: number, stream: TestStream, out: Happening[]): void {
    const event = stream.event!;
    const isEnd = --event.left <= 0;
    const after = stream.rtpTime;
    const payload = Uint8Array.of(5, isEnd ? 0x8a : 0x0a, 2, this.#below(256));
    stream.rtpTime = event.rtpTime;
    out.push(this.#packet(leg, stream, { payload, second: 101 }));
    stream.rtpTime = (after + 160) >>> 0;
    if (isEnd) stream.event = undefined;
  }

  #report(leg: number, stream: TestStream): Happening {
    const data = new Uint8Array(28);
    const view = new DataView(data.buffer);
    view.setUint32(0, 0x80c8_0006);
    view.setUint32(4, stream.ssrc);
    view.setUint32(8, 3_900_000_000);
    view.setUint32(12, this.#below(2 ** 32));
    view.setUint32(16, stream.rtpTime);
    view.setUint32(20, 7);
    return this.#from(leg, data, stream.port + 1, this.#chance(0.5));
  }

  #command(): Command {
    const leg = this.#below(3);
    const legId = `leg-${leg}`;
    const recordingId = this.#recordings[this.#below(this.#recordings.length)] ?? 'none';
    const scope = this.#chance(0.5) ? 'call' : 'recording';
    const [muted, deaf] = [this.#chance(0.3), this.#chance(0.2)];
    const id = String(this.#ids++);
    const samples = new Int16Array(800).fill(1000);
    const commands: (() => Command)[] = [
      () => this.#start(),
      () => this.#start(leg),
      () => ({ verb: 'recording.stop', recordingId, reason: 'stopped' }),
      () => ({ verb: 'recording.pause', recordingId, behaviour: 'silence', scope }),
      () => ({ verb: 'recording.resume', recordingId }),
      () => ({ verb: 'recording.resume', recordingId }),
      () => ({ verb: 'recording.consent', recordingId, given: { consentId: id, method: 'voice', who: 'x' } }),
      () => ({ verb: 'room.mute', legId, muted, deaf }),
      () => ({ verb: 'room.mute', legId, muted: false, deaf: false }),
      () => ({ verb: 'room.leave', legId }),
      () => this.#join(leg),
      () => this.#join(this.#below(2)),
      () => this.#negotiation(leg),
      () => this.#negotiation(leg),
      () => ({ verb: 'play.start', legId, playId: id, samples, rateHz: 8000, overRoom: 'mix' }),
      () => ({ verb: 'digits.send', legId, digitsId: id, digits: '1', durationMs: 60, gapMs: 40 }),
      () => ({ verb: 'leg.key', legId, digit: this.#chance(0.1) ? '#' : '3' }),
      () => ({
        verb: 'listen.start',
        legId,
        listenId: 'l',
        endSilenceMs: 500,
        maxSpeechMs: 900,
        initialTimeoutMs: 900,
      }),
      () => ({ verb: 'listen.stop', legId, listenId: 'l' }),
      () => ({ verb: 'worker.stats' }),
    ];
    return commands[this.#below(commands.length)]!();
  }

  #start(callLeg?: number): Command {
    const recordingId = `recording-${this.#ids++}`;
    this.#recordings.push(recordingId);
    return {
      ...{ verb: 'recording.start', recordingId, accountId: 'a', rateHz: 8000, key, meta: {} },
      ...(callLeg === undefined ? { roomId } : { roomId: `call-${callLeg}`, call: callOf(`leg-${callLeg}`) }),
      options: {
        ...(!this.#often(0.8) && { maxLengthMs: 1 + this.#below(20_000) }),
        ...(!this.#often(0.9) && { endSilenceTimeoutMs: 2000 }),
        ...(!this.#often(0.9) && { terminators: '5#' }),
        ...(!this.#often(0.9) && { beep: true }),
        ...(!this.#often(0.9) && { warningToneIntervalMs: 3000 }),
        ...(!this.#often(0.9) && { consent: 'required', keepConsentClip: true }),
      },
    };
  }

  #join(leg: number): Command {
    const { party } = callOf(`leg-${leg}`);
    const policy = this.#often(0.9) ? 'record' : 'never';
    const trackId = `track-${leg}-${this.#ids++}`;
    const join = {
      verb: 'room.join',
      legId: `leg-${leg}`,
      roomId,
      trackId,
      policy,
      party,
      mode: this.#mode,
    } as const;
    return { ...join, leaveKey: !this.#often(0.9) ? '5' : undefined };
  }

  #negotiation(leg: number): LegNegotiate {
    const isFirst = this.#often(0.9);
    const direction = this.#often(0.85) ? 'sendrecv' : this.#chance(0.5) ? 'sendonly' : 'inactive';
    return {
      ...{ verb: 'leg.negotiate', legId: `leg-${leg}`, receive: [pcmu, pcma] },
      send: isFirst ? pcmu : this.#mode === 'mix' && this.#chance(0.5) ? g722 : pcma,
      ...{ ptimeMs: 20, remote: { address, port: this.#streams[leg]!.port }, direction },
      telephoneEvent: this.#often(0.9) ? { payloadType: 101, clockRateHz: 8000 } : undefined,
      ...(this.#chance(0.8) && { rtcp: { mux: this.#chance(0.3) } }),
      ...(this.#chance(0.5) && { inactivityTimeoutMs: 400 + this.#below(1000) }),
      ...(this.#chance(0.3) && { comfortNoise: [{ payloadType: 13, clockRateHz: 8000 }] }),
    };
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** As `chance`; without trouble always. */
  #often(probability: number): boolean {
    return this.#chance(1 - (1 - probability) * Math.min(1, this.#mostTrouble));
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }
}
