import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Reception } from '../rtp/reception.ts';
import {
  maxRtcpBytes,
  type ReportBlock,
  type RtcpHandlers,
  readRtcp,
  type SenderInfo,
  writeRtcp,
} from '../rtp/rtcp.ts';
import type { SrtpContext } from '../rtp/srtp-context.ts';
import { maxSrtpOverheadBytes } from '../rtp/srtp-limits.ts';
import type { TransportPort } from '../rtp/transport.ts';
import type { CapturedSenderReport } from './capture-sink.ts';
import type { LegReport, NegotiatedRtcp } from './control.ts';
import type { RtpSender } from './rtp-sender.ts';
import type { SourceLatch } from './source-latch.ts';

/** Between two reports (RFC 3550 section 6.2); half of it before the first. */
const intervalMs = 5000;
/** Makes up for what the randomised timers lose (section 6.3.1). */
const compensation = Math.E - 1.5;
/** Seconds from 1900 to 1970. */
const ntpEpochSeconds = 2_208_988_800;
/** A round trip longer than this is a peer's mistake. */
const maxRoundTripMs = 60_000;

export interface RtcpSessionOptions {
  clock: Clock;
  latch: SourceLatch;
  reception: Reception;
  /** A report of the stream that is received. */
  senderReport(report: CapturedSenderReport): void;
  /** For the timers: [0, 1). */
  random?: () => number;
}

/**
 * RTCP of one leg (RFC 3550 section 6): reports every five seconds with some randomness, and hears the peer's. On a
 * port of its own or on that of RTP (RFC 5761).
 */
export class RtcpSession implements RtcpHandlers {
  roundTripMs: LegReport['roundTripMs'];
  /** What the peer says of our stream. */
  peerReport: LegReport['sent']['peer'];
  readonly #options: RtcpSessionOptions;
  readonly #cname = randomBytes(12).toString('base64url');
  readonly #random: () => number;
  /** Fixed: a wall clock that is set must not look like a jump of the stream. */
  readonly #epochUs: number;
  #rtpPort: TransportPort | undefined;
  #rtcpPort: TransportPort | undefined;
  #sender: RtpSender | undefined;
  #srtp: SrtpContext | undefined;
  #agreed: NegotiatedRtcp | undefined;
  /** Where the peer's RTCP was seen to come from, without multiplexing. */
  #heardAddress = '';
  #heardPort = 0;
  #dueUs: number | undefined;
  #sentPackets = 0;
  #hasReported = false;
  #lastSenderReport = 0;
  #lastSenderReportUs = 0;
  #arrivalUs = 0;

  constructor(options: RtcpSessionOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#epochUs = options.clock.unixMs() * 1000 - options.clock.monotonicUs();
  }

  /** Whether a port beside that of RTP is needed and not here yet. */
  get needsPort(): boolean {
    return this.#agreed !== undefined && !this.#agreed.mux && this.#rtcpPort === undefined;
  }

  attach(rtpPort: TransportPort, sender: RtpSender | undefined): void {
    this.#rtpPort = rtpPort;
    this.#sender = sender;
  }

  /** The port beside that of RTP. */
  attachRtcp(port: TransportPort): void {
    this.#rtcpPort = port;
  }

  protect(srtp: SrtpContext | undefined): void {
    this.#srtp = srtp;
  }

  negotiate(agreed: NegotiatedRtcp | undefined): void {
    this.#agreed = agreed;
    if (!agreed) this.#dueUs = undefined;
    if (agreed && !agreed.mux) return;
    this.#rtcpPort?.close();
    this.#rtcpPort = undefined;
  }

  /**
   * A datagram of the RTCP port, or one of the RTP port that is RTCP; the bytes may be changed.
   * @returns whether it was the leg's
   */
  receive(data: Uint8Array, arrivalUs: number, address: string, port: number, onRtpPort: boolean): boolean {
    const agreed = this.#agreed;
    if (!agreed || !(this.#options.latch.isCurrent(address) || address === agreed.remote?.address))
      return false;
    let plain = data;
    if (this.#srtp) {
      const bytes = this.#srtp.unprotectRtcp(data, arrivalUs);
      if (bytes < 0) return false;
      plain = data.subarray(0, bytes);
    }
    this.#arrivalUs = arrivalUs;
    if (!readRtcp(plain, this)) return false;
    // Who sends RTCP to the port of RTP need not take it there.
    if (onRtpPort && !agreed.mux) return true;
    this.#heardAddress = address;
    this.#heardPort = port;
    return true;
  }

  /** When the next report is sent, monotonic microseconds. */
  get dueUs(): number {
    return this.#agreed ? (this.#dueUs ?? 0) : Number.POSITIVE_INFINITY;
  }

  /** Once a slot. */
  slot(nowUs: number): void {
    if (!this.#agreed) return;
    this.#dueUs ??= nowUs + this.#intervalUs() / 2;
    if (nowUs < this.#dueUs) return;
    this.#dueUs = nowUs + this.#intervalUs();
    this.#send(nowUs, false);
  }

  /** Says good-bye where anything was said, and closes the port. */
  close(nowUs: number): void {
    if (this.#agreed && (this.#hasReported || (this.#sender?.packets ?? 0) > 0)) this.#send(nowUs, true);
    this.#agreed = undefined;
    this.#rtcpPort?.close();
    this.#rtcpPort = undefined;
  }

  senderReport(ssrc: number, info: SenderInfo): void {
    const { reception } = this.#options;
    if (reception.ssrc >= 0 && ssrc !== reception.ssrc) return;
    this.#lastSenderReport = middleOf(info.ntpSeconds, info.ntpFraction);
    this.#lastSenderReportUs = this.#arrivalUs;
    this.#options.senderReport({ ssrc, ...info, arrivalUs: this.#arrivalUs });
  }

  reportBlock(_ssrc: number, block: ReportBlock): void {
    const sender = this.#sender;
    if (!sender || block.ssrc !== sender.ssrc) return;
    const clockRateHz = sender.format?.clockRateHz ?? 8000;
    const jitterMs = Math.round((block.jitter * 10_000) / clockRateHz) / 10;
    this.peerReport = { lost: Math.max(0, block.cumulativeLost), jitterMs };
    if (block.lastSenderReport === 0) return;
    const [seconds, fraction] = this.#ntpAt(this.#arrivalUs);
    const elapsed =
      (middleOf(seconds, fraction) - block.lastSenderReport - block.delaySinceSenderReport) >>> 0;
    const latest = Math.round((elapsed * 10_000) / 65_536) / 10;
    if (latest > maxRoundTripMs) return;
    this.roundTripMs = { least: Math.min(latest, this.roundTripMs?.least ?? latest), latest };
  }

  bye(): void {}

  #intervalUs(): number {
    return (intervalMs * 1000 * (0.5 + this.#random())) / compensation;
  }

  #send(nowUs: number, bye: boolean): void {
    const sender = this.#sender;
    const port = this.#agreed?.mux ? this.#rtpPort : this.#rtcpPort;
    const [address, remotePort] = this.#remote();
    if (!sender || !port || address === '' || remotePort === 0) return;
    const datagram = port.reserve(maxRtcpBytes + maxSrtpOverheadBytes);
    const bytes = writeRtcp(datagram, {
      ssrc: sender.ssrc,
      sender: sender.packets > this.#sentPackets ? this.#senderInfo(sender, nowUs) : undefined,
      block: this.#reportBlock(nowUs),
      cname: this.#cname,
      bye,
    });
    const sentBytes = this.#srtp ? this.#srtp.protectRtcp(datagram, bytes) : bytes;
    if (sentBytes < 0) return;
    port.commit(sentBytes, address, remotePort);
    this.#sentPackets = sender.packets;
    this.#hasReported = true;
  }

  #remote(): [address: string, port: number] {
    const { latch } = this.#options;
    if (this.#agreed?.mux) return [latch.sendAddress, latch.sendPort];
    if (this.#heardAddress !== '') return [this.#heardAddress, this.#heardPort];
    const { address, port } = this.#agreed?.remote ?? {
      address: latch.sendAddress,
      port: latch.sendPort + 1,
    };
    return [address, port];
  }

  #senderInfo(sender: RtpSender, nowUs: number): SenderInfo {
    const [ntpSeconds, ntpFraction] = this.#ntpAt(nowUs);
    const { streamPackets: packetCount, streamBytes: octetCount, nextTimestamp: rtpTime } = sender;
    return { ntpSeconds, ntpFraction, rtpTime, packetCount, octetCount };
  }

  #reportBlock(nowUs: number): ReportBlock | undefined {
    const { reception } = this.#options;
    if (reception.ssrc < 0) return undefined;
    const sinceUs = nowUs - this.#lastSenderReportUs;
    return {
      ssrc: reception.ssrc,
      fractionLost: reception.takeFractionLost(),
      cumulativeLost: reception.cumulativeLost,
      highestSequence: reception.highestSequence,
      jitter: reception.jitterTicks,
      lastSenderReport: this.#lastSenderReport,
      delaySinceSenderReport:
        this.#lastSenderReport === 0 ? 0 : Math.min(0xffff_ffff, Math.round((sinceUs * 65_536) / 1_000_000)),
    };
  }

  /** NTP timestamp of a moment of the monotonic clock: seconds, and the fraction in 2^-32 s. */
  #ntpAt(atUs: number): [seconds: number, fraction: number] {
    const unixUs = this.#epochUs + atUs;
    const seconds = Math.floor(unixUs / 1_000_000);
    const fraction = Math.floor(((unixUs - seconds * 1_000_000) * 2 ** 32) / 1_000_000);
    return [(seconds + ntpEpochSeconds) >>> 0, fraction >>> 0];
  }
}

/** The middle 32 bits of an NTP timestamp: 1/65536 s. */
function middleOf(seconds: number, fraction: number): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}
