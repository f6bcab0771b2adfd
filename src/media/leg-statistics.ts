import { Reception } from '../rtp/reception.ts';
import type { RtpTimestamp, SequenceNumber } from '../rtp/sequence.ts';
import type { PacketSeries } from '../timeline/packet-series.ts';
import type { LegReport, NegotiatedCodec, SrtpRefusals } from './control.ts';
import type { PlayoutCounters } from './playout.ts';
import type { RtcpSession } from './rtcp-session.ts';
import type { RtpSender } from './rtp-sender.ts';

const maxCodecs = 16;

type CodecUse = LegReport['received']['codecs'][number];

/** What is counted elsewhere. */
export interface LegCounts {
  refused: number;
  /** Undefined before SRTP was agreed. */
  srtp: Readonly<SrtpRefusals> | undefined;
  playout: PlayoutCounters;
  sender: RtpSender | undefined;
  rtcp: RtcpSession;
}

/** Counters at the beginning of what is reported. */
interface Mark {
  atUs: number;
  packets: number;
  bytes: number;
  lost: number;
  duplicates: number;
  reordered: number;
  ssrcChanges: number;
  late: number;
  concealedMs: number;
  refused: number;
  srtp: SrtpRefusals | undefined;
  sentPackets: number;
  sentBytes: number;
}

/** The figures of one leg's media: of its whole life, and of the stay it is in. */
export class LegStatistics {
  readonly reception = new Reception();
  readonly #begun: Mark;
  readonly #counts: () => LegCounts;
  #stay: Mark | undefined;
  readonly #codecs: { atUs: number; format: NegotiatedCodec }[] = [];
  /** The format of the last packet. */
  #format: NegotiatedCodec | undefined;
  #stayFormat: NegotiatedCodec | undefined;

  constructor(atUs: number, counts: () => LegCounts) {
    this.#counts = counts;
    this.#begun = { ...noCounts, atUs };
  }

  /** An audio packet that was taken. */
  audio(
    format: NegotiatedCodec,
    ssrc: number,
    sequenceNumber: SequenceNumber,
    rtpTime: RtpTimestamp,
    arrivalUs: number,
    bytes: number,
  ): void {
    this.reception.receive(ssrc, sequenceNumber, rtpTime, format.clockRateHz, arrivalUs, bytes, true);
    this.#note(format, arrivalUs);
  }

  /** As `audio`, of packets that go on with each other. @param bytes of each */
  audioSeries(format: NegotiatedCodec, ssrc: number, series: PacketSeries, bytes: number): void {
    this.#note(format, series.arrivalUs(0));
    this.reception.receiveSeries(ssrc, format.clockRateHz, series, bytes);
  }

  /** A packet that uses a number of the stream and says nothing of its time: a key press, comfort noise. */
  other(
    clockRateHz: number,
    ssrc: number,
    sequenceNumber: SequenceNumber,
    rtpTime: RtpTimestamp,
    arrivalUs: number,
    bytes: number,
  ): void {
    this.reception.receive(ssrc, sequenceNumber, rtpTime, clockRateHz, arrivalUs, bytes, false);
  }

  beginStay(atUs: number): void {
    this.#stay = this.#mark(atUs);
    this.#stayFormat = this.#format;
  }

  stayReport(nowUs: number): LegReport {
    const since = this.#stay ?? this.#begun;
    const report = this.#report(since, nowUs);
    const [first] = report.received.codecs;
    const format = this.#stayFormat;
    if (format && report.received.packets > 0 && first?.atMs !== 0)
      report.received.codecs.unshift(useOf(format, 0));
    this.#stay = undefined;
    return report;
  }

  legReport(nowUs: number): LegReport {
    return this.#report(this.#begun, nowUs);
  }

  #note(format: NegotiatedCodec, arrivalUs: number): void {
    if (format === this.#format) return;
    const { codec, payloadType, clockRateHz } = format;
    const before = this.#format;
    this.#format = format;
    const same =
      before?.codec === codec && before.payloadType === payloadType && before.clockRateHz === clockRateHz;
    if (!same && this.#codecs.length < maxCodecs) this.#codecs.push({ atUs: arrivalUs, format });
  }

  #report(since: Mark, nowUs: number): LegReport {
    const now = this.#mark(nowUs);
    const { rtcp } = this.#counts();
    const { reception } = this;
    const codecs = this.#codecs
      .filter(({ atUs }) => atUs >= since.atUs)
      .map(({ format, atUs }) => useOf(format, Math.round((atUs - since.atUs) / 1000)));
    const jitterMs = { latest: toMs(reception.jitter), most: toMs(reception.mostJitter) };
    return {
      durationMs: Math.round((nowUs - since.atUs) / 1000),
      received: {
        packets: now.packets - since.packets,
        bytes: now.bytes - since.bytes,
        lost: Math.max(0, now.lost - since.lost),
        duplicates: now.duplicates - since.duplicates,
        reordered: now.reordered - since.reordered,
        late: now.late - since.late,
        concealedMs: Math.round(now.concealedMs - since.concealedMs),
        jitterMs,
        ssrcChanges: now.ssrcChanges - since.ssrcChanges,
        refused: now.refused - since.refused,
        ...(now.srtp && { srtp: srtpSince(now.srtp, since.srtp) }),
        codecs,
      },
      sent: {
        packets: now.sentPackets - since.sentPackets,
        bytes: now.sentBytes - since.sentBytes,
        ...(rtcp.peerReport && { peer: rtcp.peerReport }),
      },
      ...(rtcp.roundTripMs && { roundTripMs: rtcp.roundTripMs }),
    };
  }

  #mark(atUs: number): Mark {
    const { packets, bytes, lost, duplicates, reordered, ssrcChanges } = this.reception;
    const { refused, srtp, playout, sender } = this.#counts();
    return {
      atUs,
      packets,
      bytes,
      lost,
      duplicates,
      reordered,
      ssrcChanges,
      late: playout.latePackets,
      concealedMs: playout.concealedMs,
      refused,
      srtp: srtp && { ...srtp },
      sentPackets: sender?.packets ?? 0,
      sentBytes: sender?.bytes ?? 0,
    };
  }
}

const noCounts: Omit<Mark, 'atUs'> = {
  packets: 0,
  bytes: 0,
  lost: 0,
  duplicates: 0,
  reordered: 0,
  ssrcChanges: 0,
  late: 0,
  concealedMs: 0,
  refused: 0,
  srtp: undefined,
  sentPackets: 0,
  sentBytes: 0,
};

function srtpSince(now: SrtpRefusals, since: SrtpRefusals | undefined): SrtpRefusals {
  const { authenticationFailures = 0, replays = 0, malformed = 0 } = since ?? {};
  return {
    authenticationFailures: now.authenticationFailures - authenticationFailures,
    replays: now.replays - replays,
    malformed: now.malformed - malformed,
  };
}

function useOf({ codec, payloadType, clockRateHz }: NegotiatedCodec, atMs: number): CodecUse {
  return { codec, payloadType, clockRateHz, atMs };
}

function toMs(seconds: number): number {
  return Math.round(seconds * 10_000) / 10;
}
