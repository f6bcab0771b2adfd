import { RtpPacketView, RtpParser } from '../rtp/packet.ts';
import { isRtcp } from '../rtp/rtcp.ts';
import type { Datagram, DatagramSink, TransportPort } from '../rtp/transport.ts';
import type { CaptureSink, Stay } from './capture-sink.ts';
import type { LegNegotiate, WorkerEvent } from './control.ts';
import { EarlyWords } from './early-words.ts';
import { FastPath } from './fast-path.ts';
import { HeardCapture } from './heard-capture.ts';
import { Inactivity } from './inactivity.ts';
import { KeyPresses } from './key-presses.ts';
import { LegEars } from './leg-ears.ts';
import { LegOutput } from './leg-output.ts';
import { LegStatistics } from './leg-statistics.ts';
import type { MediaSessionCounters } from './media-session-counters.ts';
import type { MediaSessionOptions } from './media-session-options.ts';
import { MixedPath } from './mixed-path.ts';
import { PacketProtection } from './packet-protection.ts';
import { PauseEnd } from './pause-end.ts';
import { PayloadTypes } from './payload-types.ts';
import { Playout } from './playout.ts';
import type { ReceiveFormat } from './receive-formats.ts';
import { ReceiveGate } from './receive-gate.ts';
import { ReceivedPacket } from './received-packet.ts';
import type { RestingRoom } from './resting-room.ts';
import { RtcpSession } from './rtcp-session.ts';
import { SaidCapture } from './said-capture.ts';
import { SourceLatch } from './source-latch.ts';
import { UnprovenPackets } from './unproven-packets.ts';

/** More than the jitter buffer can hold. */
const maxPassedOverSlots = 64;

/** Of all legs: they are dealt with one packet after the other. */
const parser = new RtpParser();
const view = new RtpPacketView();
const packet = new ReceivedPacket();

/**
 * The media of one leg. In: validates a datagram, holds its source to the latch, hands the packet at once to the
 * capture sink, then to the other leg of a relay or to the room's jitter buffer, while the leg is in a stay. Out:
 * `output`, to wherever the peer's media comes from.
 */
export class MediaSession implements DatagramSink {
  /** The first that a packet needs. */
  readonly fast: FastPath;
  readonly legId: string;
  readonly counters: MediaSessionCounters = { strayPackets: 0, unknownPayloadTypes: 0, unexpectedPackets: 0 };
  readonly output: LegOutput;
  readonly #options: MediaSessionOptions;
  readonly #capture: CaptureSink;
  readonly #latch = new SourceLatch();
  /** What the room hears of the leg. */
  readonly playout = new Playout();
  readonly rtcp: RtcpSession;
  readonly #statistics: LegStatistics;
  /** Of the last packet, and of the audio that came last. */
  #rtpTime = 0;
  #clockRateHz = 8000;
  readonly #payloadTypes = new PayloadTypes();
  readonly #gate = new ReceiveGate();
  readonly #protection = new PacketProtection();
  readonly #keys: KeyPresses;
  /** Who listens to what is heard of the leg. */
  readonly ears: LegEars;
  readonly #pauseEnd = new PauseEnd();
  #heard = false;
  readonly #inactivity = new Inactivity((silentMs) =>
    this.#post({ event: 'leg.inactive', legId: this.legId, silentMs }),
  );
  readonly #said: SaidCapture;
  #leaveKey: string | undefined;
  #relayTarget: LegOutput | undefined;
  #port: TransportPort | undefined;
  #mixed: MixedPath | undefined;
  readonly #early: EarlyWords;
  readonly #unproven = new UnprovenPackets((datagram) => {
    this.counters.strayPackets--;
    this.#receiveRtp(datagram);
  });

  constructor(options: MediaSessionOptions) {
    this.legId = options.legId;
    this.#options = options;
    this.#capture = options.capture;
    this.#said = new SaidCapture(options.capture, this.#pauseEnd);
    this.#early = new EarlyWords(options);
    this.#keys = new KeyPresses({
      nowUs: () => options.clock.monotonicUs(),
      wentDown: (key) => this.#said.keyWentDown(key),
      heardDown: (key) => this.#said.digit({ ...key, rtpTime: this.#rtpTime }),
      cameUp: (digit, durationMs) => this.#keyCameUp(digit, durationMs),
    });
    this.ears = new LegEars({ legId: options.legId, keys: this.#keys, post: options.post });
    this.output = new LegOutput(options.legId, this.#latch, options.slotTime, options.post);
    this.#statistics = new LegStatistics(options.clock.monotonicUs(), () => ({
      refused: this.counters.strayPackets,
      srtp: this.#protection.counters,
      ...{ playout: this.playout.counters, sender: this.output.sender, rtcp: this.rtcp },
    }));
    this.rtcp = new RtcpSession({
      clock: options.clock,
      latch: this.#latch,
      reception: this.#statistics.reception,
      senderReport: (report) => this.#said.senderReport(report),
    });
    this.fast = new FastPath({
      ...{ capture: options.capture, early: this.#early, gate: this.#gate, inactivity: this.#inactivity },
      ...{ keys: this.#keys, latch: this.#latch, pauseEnd: this.#pauseEnd, payloadTypes: this.#payloadTypes },
      ...{ protection: this.#protection, said: this.#said, unproven: this.#unproven },
      statistics: this.#statistics,
    });
  }

  get stay(): Stay | undefined {
    return this.#said.stay;
  }

  /** A packet of the peer came. */
  get hasHeard(): boolean {
    return this.#heard;
  }

  attach(port: TransportPort): void {
    this.#port = port;
    this.fast.attach(port);
    this.output.attach(port);
    this.rtcp.attach(port, this.output.sender);
  }

  /** The RTP port; undefined before `attach` and after `close`. */
  get port(): TransportPort | undefined {
    return this.#port;
  }

  close(nowUs: number): void {
    this.fast.wake();
    this.fast.end();
    if (!this.#port) return;
    const report = this.#statistics.legReport(nowUs);
    this.rtcp.close(nowUs);
    this.ears.close();
    this.output.close();
    this.#port.close();
    this.#port = undefined;
    this.#post({ event: 'leg.report', legId: this.legId, report });
  }

  /**
   * The first agreement or a later one; directions are ours.
   * @throws CallreelError NO_COMMON_CODEC; the former agreement then stays in force
   */
  negotiate(agreement: LegNegotiate): void {
    const { remote, telephoneEvent, direction, inactivityTimeoutMs, signallingAddress } = agreement;
    const nowUs = this.#options.clock.monotonicUs();
    const agreeTypes = this.#payloadTypes.prepare(agreement);
    this.output.negotiate(agreement);
    this.rtcp.negotiate(agreement.rtcp);
    const renew = this.#protection.agree(agreement.srtp, nowUs);
    this.output.protect(this.#protection.context, renew);
    this.rtcp.protect(this.#protection.context);
    agreeTypes(nowUs);
    this.#keys.agree(telephoneEvent !== undefined);
    const receives = direction === 'sendrecv' || direction === 'recvonly';
    if (receives && !this.#gate.isOpen) {
      this.#inactivity.beginAnew();
      this.playout.clear();
    }
    this.#gate.agree(receives, nowUs);
    this.#said.agree(direction, nowUs);
    this.#inactivity.agree(inactivityTimeoutMs);
    this.#latch.signal(remote, signallingAddress);
    this.#unproven.releaseAll(nowUs);
    this.#early.agreed(nowUs);
    if (this.stay) this.admitEarly();
    else if (this.#said.call) this.#early.record(nowUs);
  }

  /** When the first of what `admitEarly` would give arrived; `nowUs` where there is nothing. */
  earlySinceUs(nowUs: number): number {
    return this.#early.sinceUs(nowUs);
  }

  /** What came before the answer, once there is an agreement to read it by and somebody to hear it. */
  admitEarly(): void {
    this.#early.admit(this.#options.clock.monotonicUs(), (datagram) => this.#receiveRtp(datagram));
  }

  enter(stay: Stay, leaveKey: string | undefined): void {
    const nowUs = this.#options.clock.monotonicUs();
    this.#said.enter(stay, nowUs);
    this.#unproven.forget();
    this.#leaveKey = leaveKey;
    this.#keys.useLeaveKey(leaveKey);
    this.playout.clear();
    this.#statistics.beginStay(nowUs);
  }

  /** What its stay lets through is another now. */
  muteChanged(): void {
    this.#said.tellHold(this.#options.clock.monotonicUs());
  }

  /** @returns the stay that ended */
  exit(atUs: number): Stay | undefined {
    const { stay } = this.#said;
    if (!stay) return undefined;
    const { trackId, roomId } = stay;
    this.#said.stay = undefined;
    this.#leaveKey = undefined;
    const report = this.#statistics.stayReport(atUs);
    this.#post({ event: 'leg.report', legId: this.legId, stay: { trackId, roomId }, report });
    return stay;
  }

  /** The room of the recordings of this call by itself; undefined where there are none. */
  get callRoomId(): string | undefined {
    return this.#said.call?.said.roomId;
  }

  /** From here on both halves of the call go to recordings of its own. */
  captureCall(said: Stay, heard: Stay): void {
    const nowUs = this.#options.clock.monotonicUs();
    this.#said.captureCall({ said, heard }, nowUs);
    this.#early.record(nowUs);
    this.output.heard = new HeardCapture({
      nowUs: () => this.#options.clock.monotonicUs(),
      packet: (packet) => this.#capture.packet(heard, packet),
      goesOn: (last, user) => this.#capture.goesOn?.(heard, last, user),
    });
  }

  endCallCapture(): void {
    this.#said.call = undefined;
    this.output.heard = undefined;
  }

  /** A key that came by another way than the media. */
  key(digit: string): void {
    this.#said.digit({ digit, rtpTime: 0, arrivalUs: this.#options.clock.monotonicUs() });
  }

  receive(datagram: Datagram): void {
    if (this.fast.offer(datagram)) return;
    if (isRtcp(datagram.data)) this.receiveRtcp(datagram, true);
    else if (!this.#early.hold(datagram)) this.#receiveRtp(datagram);
  }

  /** From here on its packets take the fast path, until `room` wakes. @returns false where they may not */
  rest(room: RestingRoom): boolean {
    return this.#relayTarget !== undefined && this.fast.open(this.#relayTarget, room);
  }

  /** From here on what it brings to the mix and is sent of it takes the fast path. @returns by what, where it may */
  mix(): MixedPath | undefined {
    if (this.#relayTarget || this.ears.active || !this.stay || this.stay.deaf) return undefined;
    const mixed = (this.#mixed ??= new MixedPath(this.playout, this.output));
    return this.fast.openMixed(mixed) ? mixed : undefined;
  }

  #receiveRtp(datagram: Datagram): void {
    this.fast.wake();
    this.fast.forget();
    const data = this.#protection.open(datagram);
    if (!data || !parser.parse(data, view)) return;
    const { sourceAddress, sourcePort, arrivalUs } = datagram;
    const meaning = this.#payloadTypes.meaningOf(view, arrivalUs);
    if (!meaning) {
      this.counters.unknownPayloadTypes++;
      return;
    }
    if (!this.#gate.admits(view.ssrc, arrivalUs)) {
      this.counters.unexpectedPackets++;
      return;
    }
    const { isAuthentic } = this.#protection;
    const { ssrc, sequenceNumber, timestamp, payloadBytes } = view;
    if (!this.#latch.accepts(sourceAddress, sourcePort, arrivalUs, ssrc, sequenceNumber, isAuthentic)) {
      this.#refuse(datagram);
      return;
    }
    if (this.#unproven.releaseTo(sourceAddress, sourcePort, arrivalUs)) parser.parse(data, view);
    if (!this.#heard) this.#firstHeard(datagram);
    this.#inactivity.alive(arrivalUs);
    this.#payloadTypes.took(view, meaning, arrivalUs);
    this.#gate.took(view.ssrc);
    const { format } = meaning;
    packet.fill(view, arrivalUs, this.#clockRateHz);
    this.#rtpTime = packet.rtpTime;
    if (format?.decoder) this.#protection.tookAudio(datagram, view);
    if (format?.decoder)
      this.#statistics.audio(format, ssrc, sequenceNumber, timestamp, arrivalUs, payloadBytes);
    else this.#statistics.other(packet.clockRateHz, ssrc, sequenceNumber, timestamp, arrivalUs, payloadBytes);
    if (!format) this.#receiveEvent(meaning.clockRateHz, arrivalUs);
    else if (this.#isOfPause(format)) this.#relayTarget?.leaveOut(packet);
    else if ((this.stay || this.#said.call || this.ears.active) && (payloadBytes > 0 || !format.decoder))
      this.#receiveAudio(format, datagram);
    else this.#relayTarget?.leaveOut(packet);
  }

  /** The pause of the call is over, and what was said in it was heard by those who listened: nobody else will. */
  endPause(atUs: number): void {
    this.#pauseEnd.set(atUs);
    this.playout.clear();
    this.#payloadTypes.renewDecoders();
    this.output.sender?.renewEncoder();
    this.#keys.cut();
  }

  #refuse(datagram: Datagram): void {
    this.counters.strayPackets++;
    if (this.#latch.onProbation) this.#unproven.hold(datagram);
  }

  /** From the RTCP port, or the RTP port where both share it (RFC 5761). */
  receiveRtcp({ data, arrivalUs, sourceAddress, sourcePort }: Datagram, onRtpPort = false): void {
    this.fast.settle();
    const opened = this.#protection.openFormerRtcp(data, arrivalUs);
    if (this.rtcp.receive(opened, arrivalUs, sourceAddress, sourcePort, onRtpPort))
      this.#inactivity.alive(arrivalUs);
  }

  /** Packets go to this leg as they are, where it can take them; undefined: all of them are for the mix. */
  relayTo(target: LegOutput | undefined): void {
    if (target !== this.#relayTarget) this.#relayTarget?.endRelay();
    this.#relayTarget = target;
  }

  /** What came to be mixed is not heard any more, but by who listens to the leg. */
  forgetWaiting(): void {
    if (!this.ears.active) this.playout.clear();
  }

  /** What the leg says and hears goes past the mixer, and nobody listens to what would be heard of it. */
  get isRelayed(): boolean {
    return (
      this.#relayTarget !== undefined && this.playout.isIdle && !this.ears.active && this.output.passesSlots
    );
  }

  /** The next slot for the room, in `playout`. */
  takeSlot(): void {
    this.playout.take();
    this.ears.hear(this.playout);
  }

  /** A slot in no room. */
  slotAlone(): void {
    if (this.ears.active) this.takeSlot();
    this.output.sendAlone();
  }

  /** Lets slots pass that came too late; what would have been played is passed over too. */
  missSlots(slots: number): void {
    this.fast.wake();
    this.output.missSlots(slots);
    for (let i = 0; i < Math.min(slots, maxPassedOverSlots); i++) this.playout.take();
  }

  /** Once a slot: what is decided by nothing having come. */
  expire(nowUs: number): void {
    this.fast.settle();
    this.#keys.expire(nowUs);
    this.rtcp.slot(nowUs);
    if (this.#latch.settle(nowUs))
      this.#unproven.releaseTo(this.#latch.sendAddress, this.#latch.sendPort, nowUs);
    this.#early.expire(nowUs, (datagram) => this.#receiveRtp(datagram));
    this.#inactivity.slot(nowUs, this.#heard && this.#gate.isOpen);
    this.fast.restUntil(Math.min(this.rtcp.dueUs, this.#inactivity.dueUs));
  }

  #receiveEvent(clockRateHz: number, arrivalUs: number): void {
    if (!this.#keys.isLeaveKey(view)) this.#relayTarget?.relayEvent(packet, clockRateHz);
    this.#keys.receive(view, clockRateHz, arrivalUs);
  }

  /** For the application. */
  #keyCameUp(digit: string, durationMs: number): void {
    this.#post({ event: 'leg.digit', legId: this.legId, digit, durationMs });
    if (this.stay && digit === this.#leaveKey) this.#options.leaveKeyPressed(this.legId);
  }

  #firstHeard({ sourceAddress, sourcePort }: Datagram): void {
    this.#heard = true;
    this.#post({ event: 'leg.media', legId: this.legId, address: sourceAddress, port: sourcePort });
  }

  #post(event: WorkerEvent): void {
    this.#options.post(event);
  }

  #isOfPause(format: ReceiveFormat): boolean {
    packet.hasFormat(format);
    this.#clockRateHz = packet.clockRateHz;
    const isOfPause = this.#pauseEnd.hidesAudio(packet);
    packet.saidUs = this.#pauseEnd.saidUs;
    return isOfPause;
  }

  #receiveAudio(format: ReceiveFormat, datagram: Datagram): void {
    const { decoder } = format;
    const { stay, call } = this.#said;
    // Who must not be recorded in a room is not recorded from there by any other way.
    if (call && stay?.policy !== 'never') this.#capture.packet(call.said, packet);
    if (!stay && !this.ears.active) return;
    if (stay && !stay.muted) this.#capture.packet(stay, packet);
    if (!decoder) {
      if (!this.#relayTarget?.relayNoise(packet, packet.clockRateHz)) this.playout.putNoise(packet);
    } else {
      const isRelayed = this.#relayTarget?.relay(packet, format);
      if (!isRelayed || this.ears.active) this.playout.put(packet, format, decoder);
      else if (this.playout.active) this.playout.clear();
      if (!this.ears.active) this.fast.follow(format, datagram);
    }
  }
}
