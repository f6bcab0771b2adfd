import { FakeClock } from '../clock.ts';
import { DgramTransport } from '../rtp/transport-dgram.ts';
import type {
  CapturedDigit,
  CapturedPacket,
  CapturedSenderReport,
  CaptureSink,
  Stay,
} from './capture-sink.ts';
import { CommandExecutor, type RecordedLegs, type RecordingControl } from './command-executor.ts';
import type { Command, LegNegotiate, RoomJoin, WorkerEvent } from './control.ts';
import { processUsage } from './process-usage.ts';
import { TestPhone, turnEventLoop } from './test-phone.ts';

/** Keeps what the media stage pushes into the recording stage, in order. */
export class CaptureLog implements CaptureSink {
  readonly calls: string[] = [];
  readonly packets: { stay: Stay; packet: CapturedPacket }[] = [];
  readonly digits: CapturedDigit[] = [];
  readonly senderReports: CapturedSenderReport[] = [];

  roomOpened(roomId: string): void {
    this.calls.push(`roomOpened ${roomId}`);
  }
  stayOpened(stay: Stay): void {
    this.calls.push(`stayOpened ${stay.trackId}`);
  }
  packet(stay: Stay, packet: CapturedPacket): void {
    this.packets.push({ stay, packet: { ...packet, payload: Uint8Array.from(packet.payload) } });
  }
  digit(stay: Stay, digit: CapturedDigit): void {
    this.calls.push(`digit ${stay.trackId} ${digit.digit}`);
    this.digits.push({ ...digit });
  }
  hold(stay: Stay, held: boolean): void {
    this.calls.push(`hold ${stay.trackId} ${held}`);
  }
  senderReport(_stay: Stay, report: CapturedSenderReport): void {
    this.senderReports.push(report);
  }
  stayClosed(stay: Stay): void {
    this.calls.push(`stayClosed ${stay.trackId}`);
  }
  roomClosed(roomId: string): void {
    this.calls.push(`roomClosed ${roomId}`);
  }
  slot(): void {}
}

class RecordingLog implements RecordingControl {
  readonly calls: string[] = [];
  count = 0;
  ringOverflows = 0;
  ringWaitingBytes = 0;
  ringBytes = 0;
  unsettledBytes = 0;
  unsettledLimitBytes = 0;
  legs: RecordedLegs | undefined;
  start({ recordingId }: { recordingId: string }): void {
    this.calls.push(`start ${recordingId}`);
    this.count++;
  }
  stop(recordingId: string, reason: string): void {
    this.calls.push(`stop ${recordingId} ${reason}`);
    this.count--;
  }
  pause(recordingId: string, behaviour: string, _atUs: number, scope: string): void {
    this.calls.push(`pause ${recordingId} ${behaviour} ${scope}`);
  }
  resume(recordingId: string): void {
    this.calls.push(`resume ${recordingId}`);
  }
  consent({ recordingId }: { recordingId: string }): void {
    this.calls.push(`consent ${recordingId}`);
  }
  notice({ recordingId }: { recordingId: string }): void {
    this.calls.push(`notice ${recordingId}`);
  }
  slotBegins(): void {}
  slot(): void {}
  async settle(roomIds: readonly string[]): Promise<void> {
    this.calls.push(`settle ${roomIds.join(' ')}`);
  }
}

/** The whole media stage over real sockets on the loopback, on a clock the test moves. */
export class MediaBench {
  readonly clock = new FakeClock({ monotonicUs: 2_000_000_000 });
  readonly transport = new DgramTransport({
    clock: this.clock,
    address: '127.0.0.1',
    ports: { first: 0, last: 0 },
  });
  readonly capture = new CaptureLog();
  readonly recordings = new RecordingLog();
  readonly events: WorkerEvent[] = [];
  readonly executor = new CommandExecutor({
    clock: this.clock,
    transport: this.transport,
    capture: this.capture,
    recordings: this.recordings,
    usage: processUsage,
    post: (event) => this.events.push(event),
  });
  readonly #phones: TestPhone[] = [];

  constructor() {
    this.transport.run((nowUs) => this.executor.tick(nowUs));
  }

  execute(command: Command) {
    return this.executor.execute(command);
  }

  /** A phone whose call is answered: its leg is open and negotiated. */
  async call(legId: string, overrides: Partial<LegNegotiate> = {}): Promise<TestPhone> {
    const phone = await TestPhone.open({ ssrc: 1000 + this.#phones.length });
    this.#phones.push(phone);
    const { port } = await this.execute({ verb: 'leg.open', legId });
    phone.remotePort = port ?? 0;
    await this.execute(phone.negotiation(legId, overrides));
    return phone;
  }

  join(legId: string, roomId: string, overrides: Partial<RoomJoin> = {}) {
    return this.execute(joinOf(legId, roomId, overrides));
  }

  /** Lets 20 ms slots pass; what was sent has been received by the phones afterwards. */
  async slots(count: number): Promise<void> {
    for (let i = 0; i < count; i++) this.clock.advanceMs(20);
    await turnEventLoop();
  }

  async close(): Promise<void> {
    await this.transport.stop();
    for (const phone of this.#phones) await phone.close();
  }
}

export function joinOf(legId: string, roomId: string, overrides: Partial<RoomJoin> = {}): RoomJoin {
  return {
    verb: 'room.join',
    legId,
    roomId,
    trackId: `track-${legId}`,
    policy: 'record',
    party: {
      connectionId: legId,
      from: '+46700000001',
      to: '+46700000002',
      direction: 'incoming',
      role: 'participant',
    },
    leaveKey: undefined,
    ...overrides,
  };
}
