import type { OpenSegment } from '../spool/producer.ts';
import type { FormatRecord, PacketRecord, PauseBehaviour } from '../spool/records.ts';
import { TestSpool, testParty } from '../spool/test-spool.ts';
import { randomOf } from '../timeline/test-random.ts';

const packetUs = 20_000;
const behaviours: readonly PauseBehaviour[] = ['skip', 'silence', 'mask'];

interface Track {
  trackId: string;
  segment: OpenSegment;
  format: FormatRecord | undefined;
}

interface Sender {
  format: FormatRecord;
  sequenceNumber: number;
  rtpTime: number;
  payloadBytes: number;
  sentUs: number;
  stalledToUs: number;
}

interface Step {
  atUs: number;
  run(): void;
}

/**
 * A recording of a call of two on which a sender and a network do by chance, the more of it the greater `trouble` is,
 * what they do: losses, packets in another order, doubled, late and held up, silence with RTP time and without it, other
 * sources, codecs, lengths and clocks; in segments that end anywhere. For tests only.
 */
export class RandomRecording {
  readonly spool = new TestSpool();
  readonly endUs: number;
  readonly #random: () => number;
  readonly #trouble: number;
  readonly #steps: Step[] = [];
  #next = 0;
  #segments = 0;

  constructor(seed: number, trouble: number, seconds: number) {
    this.#random = randomOf(seed);
    this.#trouble = trouble;
    this.endUs = seconds * 1_000_000;
    this.spool.startRecording('A');
    const isCall = this.#chance(0.5);
    const pauses = this.#pauses();
    for (const index of [0, 1]) this.#addTrack(index, isCall && index === 1, pauses);
    this.#steps.sort((a, b) => a.atUs - b.atUs);
  }

  /** Spools what happened until then, as the worker does before it is read. */
  until(timeUs: number): void {
    for (let next = this.#steps[this.#next]; next && next.atUs <= timeUs; next = this.#steps[++this.#next])
      next.run();
    this.spool.pump();
    this.spool.writer.settleConversation('room');
  }

  end(): void {
    this.until(this.endUs);
    const { producer } = this.spool;
    producer.append('A', { type: 'end', atSample: this.endUs / 125, endedUnixMs: 30, reason: 'stopped' });
    producer.finishRecording('A');
    for (let turn = 0; turn < 3; turn++) this.until(this.endUs);
  }

  #pauses(): [fromUs: number, toUs: number][] {
    const { producer } = this.spool;
    const pauses: [number, number][] = [];
    for (let fromUs = 2_000_000; this.#often(0.7) && fromUs < this.endUs - 4_000_000; ) {
      fromUs += this.#below(this.endUs / 2);
      const toUs = Math.min(this.endUs - 1_000_000, fromUs + packetUs + this.#below(3_000_000));
      if (toUs <= fromUs) break;
      const behaviour = behaviours[this.#below(behaviours.length)]!;
      this.#at(fromUs, () => producer.append('A', { type: 'pause', atSample: sampleAt(fromUs), behaviour }));
      this.#at(toUs, () => producer.append('A', { type: 'resume', atSample: sampleAt(toUs) }));
      pauses.push([fromUs, toUs]);
      fromUs = toUs + 1_000_000;
    }
    return pauses;
  }

  #addTrack(index: number, isHeard: boolean, pauses: readonly (readonly [number, number])[]): void {
    const { producer } = this.spool;
    const trackId = `t${index}`;
    const startSample = index === 0 ? 0 : this.#below(8000);
    const party = { ...testParty, connectionId: `connection-${index}` };
    const side = isHeard ? 'heard' : 'said';
    producer.append('A', { type: 'track', trackId, side, startSample, party });
    const track: Track = { trackId, segment: this.#openSegment(trackId, startSample), format: undefined };
    const isPaused = (atUs: number) => pauses.some(([fromUs, toUs]) => atUs >= fromUs && atUs < toUs);
    for (const [format, packet] of this.#packets(index))
      if (!isPaused(packet.arrivalUs)) this.#at(packet.arrivalUs, () => this.#spool(track, format, packet));
    for (let atUs = this.#below(20_000_000); this.#often(0.3); atUs += 1 + this.#below(20_000_000))
      this.#at(Math.min(atUs, this.endUs - 600_000), () => {
        producer.closeSegment(track.segment);
        track.segment = this.#openSegment(trackId, startSample);
        track.format = undefined;
      });
    const endUs = this.endUs - this.#below(500_000);
    this.#at(endUs, () => {
      producer.closeSegment(track.segment);
      const endSample = sampleAt(endUs);
      producer.append('A', { type: 'track-end', trackId, endSample, packets: 1, overflowPackets: 0 });
    });
  }

  #openSegment(trackId: string, startSample: number): OpenSegment {
    const segmentId = (this.#segments++).toString(16).padStart(16, '0');
    const wants = [{ recordingId: 'A', startSample }];
    return this.spool.producer.openSegment({ segmentId, conversationId: 'room', trackId, wants });
  }

  #spool(track: Track, format: FormatRecord, packet: PacketRecord): void {
    const { producer } = this.spool;
    const { sequenceNumber, rtpTime, arrivalUs, payload } = packet;
    if (track.format !== format) producer.format(track.segment, format, arrivalUs);
    track.format = format;
    producer.packet(track.segment, sequenceNumber, rtpTime, arrivalUs, payload);
    if (this.#chance(0.002)) producer.hold(track.segment, { held: true, arrivalUs });
  }

  /** As they were sent, with when they come; a clock that drifts is followed from some seconds on. */
  #packets(index: number): [FormatRecord, PacketRecord][] {
    const packets: [FormatRecord, PacketRecord][] = [];
    const drift = this.#often(0.6) ? (this.#random() - 0.5) / 1000 : 0;
    const sender: Sender = {
      ...{ format: formatOf('PCMU', index), sequenceNumber: 65_400 + index },
      ...{ rtpTime: 2 ** 32 - 16_000 * (index + 1), payloadBytes: 160 },
      ...{ sentUs: this.#below(2_000_000), stalledToUs: 0 },
    };
    while (sender.sentUs < this.endUs - 1_000_000) {
      if (this.#chance(0.02 * this.#trouble)) this.#disturb(sender);
      const arrivalUs =
        Math.round(Math.max(sender.sentUs * (1 + drift), sender.stalledToUs)) + this.#delayUs();
      const [format, packet] = this.#send(sender, arrivalUs);
      if (!this.#chance(0.01 * this.#trouble)) packets.push([format, packet]);
      if (this.#chance(0.005 * this.#trouble))
        packets.push([format, { ...packet, arrivalUs: arrivalUs + this.#below(50_000) }]);
    }
    return packets.filter(([, { arrivalUs }]) => arrivalUs < this.endUs - 600_000);
  }

  #delayUs(): number {
    const isLate = this.#chance(0.01 * this.#trouble);
    return this.#below(5000) + (isLate ? this.#below(this.#chance(0.5) ? 100_000 : 1_500_000) : 0);
  }

  #disturb(sender: Sender): void {
    const { format } = sender;
    const disturbances: (() => void)[] = [
      () => (sender.format = formatOf(format.codec, format.ssrc + 2)),
      () => (sender.format = formatOf(format.codec === 'PCMU' ? 'PCMA' : 'PCMU', format.ssrc)),
      () => (sender.format = formatOf(this.#chance(0.5) ? 'G722' : 'CN', format.ssrc)),
      () => (sender.payloadBytes = 80 * (1 + this.#below(3))),
      () => (sender.stalledToUs = sender.sentUs + this.#below(2_000_000)),
      () => (sender.rtpTime = (sender.rtpTime + this.#below(100_000)) >>> 0),
      () => (sender.sequenceNumber = (sender.sequenceNumber + this.#below(50)) & 0xffff),
      () => (sender.sentUs += packetUs * this.#below(100)),
      () => {
        const silent = this.#below(100);
        sender.sentUs += packetUs * silent;
        sender.rtpTime = (sender.rtpTime + 160 * silent) >>> 0;
      },
    ];
    disturbances[this.#below(disturbances.length)]!();
  }

  #send(sender: Sender, arrivalUs: number): [FormatRecord, PacketRecord] {
    const { format, sequenceNumber, rtpTime, payloadBytes } = sender;
    const isNoise = format.codec === 'CN';
    const payload = Uint8Array.from({ length: isNoise ? 1 : payloadBytes }, () => this.#below(256));
    sender.sequenceNumber = (sequenceNumber + 1) & 0xffff;
    sender.rtpTime = (rtpTime + payloadBytes) >>> 0;
    sender.sentUs += (payloadBytes * packetUs) / 160;
    if (isNoise || (format.codec === 'G722' && this.#chance(0.1)))
      sender.format = formatOf('PCMU', format.ssrc);
    return [format, { kind: 'packet', sequenceNumber, rtpTime, arrivalUs, payload }];
  }

  #at(atUs: number, run: () => void): void {
    this.#steps.push({ atUs, run });
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** Never without trouble. */
  #often(probability: number): boolean {
    return this.#chance(probability * Math.min(1, this.#trouble));
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }
}

const formats = new Map<string, FormatRecord>();

/** The same is the same object. */
function formatOf(codec: FormatRecord['codec'], ssrc: number): FormatRecord {
  const key = `${codec} ${ssrc}`;
  const payloadType = { PCMU: 0, PCMA: 8, G722: 9, CN: 13, OPUS: 111, L16: 96 }[codec];
  const format: FormatRecord = { kind: 'format', codec, clockRateHz: 8000, payloadType, ssrc };
  formats.set(key, formats.get(key) ?? format);
  return formats.get(key)!;
}

function sampleAt(timeUs: number): number {
  return Math.round(timeUs / 125);
}
