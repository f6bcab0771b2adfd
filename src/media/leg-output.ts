import type { RtpHeader } from '../rtp/packet.ts';
import type { SrtpContext } from '../rtp/srtp-context.ts';
import type { TransportPort } from '../rtp/transport.ts';
import { payloadDurationTicks } from '../timeline/payload-duration.ts';
import { type AudioRateHz, audioRateHzOf, audioRatesHz, slotSamplesAt } from './codec-table.ts';
import type { LegNegotiate, NegotiatedCodec, NegotiatedTelephoneEvent, WorkerEvent } from './control.ts';
import { DigitSender } from './digit-sender.ts';
import type { HeardCapture } from './heard-capture.ts';
import { OverlayTone } from './overlay-tone.ts';
import type { OwnEncoding } from './own-encoding.ts';
import { Player } from './player.ts';
import { type LastRelayed, Relay, type RelayedAhead, type RelayedPacket } from './relay.ts';
import { RtpSender, type SlotsAhead } from './rtp-sender.ts';
import { encodingKey } from './shared-encodings.ts';
import type { SourceLatch } from './source-latch.ts';

/** The slot that is being made; shared by everything on one tick thread. */
export interface SlotTime {
  /** Monotonic microseconds at which it is sent: what is in it is heard from then on. */
  atUs: number;
}

/** How relayed packets are sent, and where to. */
export interface FastRelay extends RelayedAhead {
  readonly payloadType: number;
  readonly ssrc: number;
  /** Who has them too. */
  readonly heard: HeardCapture | undefined;
  readonly port: TransportPort;
  readonly address: string;
  readonly remotePort: number;
  readonly slotTicks: number;
}

/** Payload types below have their codec by RFC 3551, the same in both directions. */
const firstDynamicPayloadType = 96;

/** A leg that is sent nothing gets a packet so often, so that what is bound to its port stays (RFC 6263 section 7). */
const keepAliveSlots = 750;
/** Comfort noise that is none: 127 dB below full scale (RFC 3389 section 3.1). */
const silentNoise = Uint8Array.of(127);
const noPayload = new Uint8Array(0);

/**
 * Everything that one leg is sent, as one RTP stream. Each slot of 20 ms belongs to the first of these that wants it:
 * a key press, a prompt that stands for the room, the relay (whose packets go out as they come), the room's mix with
 * or without a prompt over it, silence. Nothing but a packet now and then goes out while the peer holds the call, and
 * nothing at all while there is nowhere to send, but time passes.
 */
export class LegOutput {
  readonly player: Player;
  readonly digits: DigitSender;
  readonly tone = new OverlayTone();
  /** Takes what the leg is sent; undefined: nobody wants it. */
  heard: HeardCapture | undefined;
  readonly #slotTime: SlotTime;
  /** What of this slot is no room's: a prompt and tones. */
  #own: Int16Array | undefined;
  #replaced = false;
  readonly #latch: SourceLatch;
  /** A slot of it; undefined before the first. */
  #prompt: Int16Array | undefined;
  #rateHz: AudioRateHz = audioRatesHz[0];
  #encodingKey = '';
  #sender: RtpSender | undefined;
  #relay: Relay | undefined;
  #sends = false;
  #formats: readonly NegotiatedCodec[] = [];
  #event: NegotiatedTelephoneEvent | undefined;
  #comfortNoise: readonly { payloadType: number; clockRateHz: number }[] = [];
  /** RTCP on the same port keeps it open. */
  #keepsAlive = false;
  #idleSlots = 0;

  constructor(legId: string, latch: SourceLatch, slotTime: SlotTime, post: (event: WorkerEvent) => void) {
    this.#slotTime = slotTime;
    this.#latch = latch;
    this.player = new Player(legId, post);
    this.digits = new DigitSender(legId, post);
  }

  attach(port: TransportPort): void {
    this.#sender = new RtpSender(port);
    this.#sender.tap = (header, payload, isSlot) => this.#sent(header, payload, isSlot);
    this.#relay = new Relay(this.#sender);
  }

  close(): void {
    this.player.close();
    this.tone.close();
    this.digits.close();
    this.#sender = undefined;
    this.#relay = undefined;
  }

  /** @throws CallreelError NO_COMMON_CODEC; nothing was changed then */
  negotiate(agreement: LegNegotiate): void {
    const { send, receive, ptimeMs, telephoneEvent, comfortNoise = [], rtcp, direction } = agreement;
    const rateHz = audioRateHzOf(send);
    const ssrc = this.#sender?.ssrc;
    this.#sender?.setFormat(send, ptimeMs);
    if (this.#sender?.ssrc !== ssrc) this.#relay?.end();
    if (rateHz !== this.#rateHz || this.#encodingKey === '') {
      this.#prompt = undefined;
      this.player.setRate(rateHz);
    }
    this.#rateHz = rateHz;
    this.#encodingKey = encodingKey(send);
    // Of another clock they would need another stream (RFC 7160 section 4.1), and key presses of that clock.
    const others = receive.filter(
      ({ payloadType, clockRateHz }) =>
        payloadType < firstDynamicPayloadType && clockRateHz === send.clockRateHz,
    );
    this.#formats = [send, ...others];
    this.#comfortNoise = comfortNoise;
    this.#sends = direction === 'sendrecv' || direction === 'sendonly';
    this.#keepsAlive = !rtcp?.mux;
    this.#idleSlots = 0;
    this.#event = telephoneEvent;
    this.digits.setFormat(telephoneEvent);
  }

  /** As `RtpSender.protect`. */
  protect(srtp: SrtpContext | undefined, renew: boolean): void {
    this.#sender?.protect(srtp, renew);
    if (renew) this.#relay?.end();
  }

  /** The stream out, for reports about it; undefined before `attach`. */
  get sender(): RtpSender | undefined {
    return this.#sender;
  }

  /** Of the samples that the leg is sent. */
  get rateHz(): AudioRateHz {
    return this.#rateHz;
  }

  /** Legs with the same key may be sent the same slots. */
  get encodingKey(): string {
    return this.#encodingKey;
  }

  /** By which the leg is encoded for alone. */
  get encoding(): OwnEncoding | undefined {
    return this.#sender?.encoding;
  }

  get takesEncoded(): boolean {
    return this.#sender?.takesEncoded ?? false;
  }

  /** What the leg is sent is encoded so; undefined while nothing is to be sent. */
  get format(): NegotiatedCodec | undefined {
    return this.#sends && this.#latch.sendAddress !== '' ? this.#sender?.format : undefined;
  }

  /** Whether `sendSamples` puts a prompt over what the leg is sent. */
  get playing(): boolean {
    return this.player.overRoom !== undefined || this.tone.active;
  }

  /**
   * Begins a slot.
   * @returns the format of what the caller is then to send in it; undefined when the slot is dealt with
   */
  beginSlot(): NegotiatedCodec | undefined {
    const sender = this.#sender;
    const { format } = this;
    this.#own = undefined;
    this.#replaced = false;
    if (!sender || format === undefined) {
      sender?.skip(1);
      this.#relay?.end();
      if (this.playing) this.#playPrompt(false);
      this.#keepAlive();
      return undefined;
    }
    const { sendAddress, sendPort } = this.#latch;
    if (this.#isTaken) this.#relay?.end();
    if (this.digits.slot(sender, sendAddress, sendPort) || this.#relay?.holdsSlot()) {
      sender.skip(1);
      return undefined;
    }
    if (sender.isAhead) {
      sender.skip(1);
      return undefined;
    }
    if (this.player.overRoom !== 'replace') return format;
    this.#replaced = true;
    sender.sendSamples(this.#playPrompt(true), sendAddress, sendPort);
    return undefined;
  }

  /** Whether the next slot is the relay's alone. */
  get passesSlots(): boolean {
    return (
      this.#relay?.holdsNext === true &&
      !this.#isTaken &&
      !this.digits.isPausing &&
      !this.heard?.withheld &&
      this.format !== undefined
    );
  }

  /** A slot that is the relay's alone, as `passesSlots` says: as `beginSlot`, in short. */
  passSlot(): void {
    this.#own = undefined;
    this.#replaced = false;
    this.#relay?.holdsSlot();
    this.#sender?.skip(1);
  }

  /** The room's samples for this slot, at `rateHz`; a prompt is added to what is sent. */
  sendSamples(samples: Int16Array): void {
    let sent = samples;
    if (this.playing) {
      sent = this.#playPrompt(true);
      addSaturated(sent, samples);
    }
    this.#sender?.sendSamples(sent, this.#latch.sendAddress, this.#latch.sendPort);
  }

  /** One slot, encoded already; not while a prompt plays. */
  sendSlot(payload: Uint8Array): void {
    this.#sender?.send(payload, this.#latch.sendAddress, this.#latch.sendPort);
  }

  /** A slot in which nobody is heard but a prompt. */
  sendSilence(): void {
    if (!this.playing) {
      this.#sender?.sendSilence(this.#latch.sendAddress, this.#latch.sendPort);
      return;
    }
    const prompt = this.#playPrompt(true);
    this.#sender?.sendSamples(prompt, this.#latch.sendAddress, this.#latch.sendPort);
  }

  /** A slot of a leg that is in no room. */
  sendAlone(): void {
    if (this.beginSlot()) this.sendSilence();
  }

  /** Lets slots pass that came too late to be sent; a prompt goes on behind them. */
  missSlots(slots: number): void {
    this.#sender?.skip(slots);
  }

  /** Sends another leg's packet as it is. @returns false when it has to be decoded and mixed */
  relay(packet: RelayedPacket, { codec, clockRateHz }: NegotiatedCodec): boolean {
    if (!this.#relay || this.#isTaken || this.format === undefined) return false;
    for (const format of this.#formats) {
      if (format.codec !== codec || format.clockRateHz !== clockRateHz) continue;
      const ticks = payloadDurationTicks(codec, clockRateHz, packet.payload);
      this.#relay.audio(packet, format.payloadType, ticks, this.#latch.sendAddress, this.#latch.sendPort);
      return true;
    }
    this.#relay.end();
    return false;
  }

  /** How what goes on with the last packet of another leg is sent, while nothing else is; undefined: not known. */
  ahead({ codec, clockRateHz }: NegotiatedCodec, last: LastRelayed): FastRelay | undefined {
    const sender = this.#sender;
    if (!sender) return undefined;
    const format = this.#formats.find((each) => each.codec === codec && each.clockRateHz === clockRateHz);
    const ahead = this.#relay?.ahead(last);
    if (!format || !ahead) return undefined;
    const { port, ssrc, slotTicks } = sender;
    const { sendAddress, sendPort } = this.#latch;
    const to = { port, address: sendAddress, remotePort: sendPort, heard: this.heard };
    return { ...ahead, ...to, payloadType: format.payloadType, ssrc, slotTicks };
  }

  /** How the slots of the mix are sent from here on, while nothing else is; undefined: not known from that. */
  slotsAhead(): (SlotsAhead & { format: NegotiatedCodec; address: string; remotePort: number }) | undefined {
    const { format } = this;
    const isPlain = !this.#isTaken && !this.digits.isPausing && this.#relay?.isIdle;
    const ahead = format && isPlain ? this.#sender?.slotsAhead() : undefined;
    if (!format || !ahead) return undefined;
    const { sendAddress, sendPort } = this.#latch;
    return { ...ahead, format, address: sendAddress, remotePort: sendPort };
  }

  /** Whoever takes what the leg is sent has this slot, which was sent as `slotsAhead` said. */
  slotSent(header: Readonly<RtpHeader>, payload: Uint8Array): void {
    this.#sent(header, payload, true);
  }

  /** Slots more, as `slotsAhead` said. */
  slotsWentOn(slots: number, slotBytes: number): void {
    this.#sender?.slotsWentOn(slots, slotBytes);
  }

  /** Packets and slots more, as by `relay` and `passSlot`; the last `idleSlots` behind the last packet. */
  wentOn(packets: number, payloadBytes: number, ticks: number, slots: number, idleSlots: number): void {
    this.#relay?.wentOn(packets, payloadBytes, ticks, idleSlots);
    if (slots > 0) this.#sender?.skip(slots);
  }

  /**
   * Sends another leg's comfort noise as it is. @returns false when the leg takes none, so that the noise has to be
   * made and mixed
   */
  relayNoise(packet: RelayedPacket, clockRateHz: number): boolean {
    if (!this.#relay || this.#isTaken || this.format === undefined) return false;
    const format = this.#comfortNoise.find((each) => each.clockRateHz === clockRateHz);
    if (
      format &&
      this.#relay.noise(packet, format.payloadType, this.#latch.sendAddress, this.#latch.sendPort)
    )
      return true;
    this.#relay.end();
    return false;
  }

  /** Sends another leg's packet of a key press (RFC 4733), whether its audio is relayed or not. */
  relayEvent(packet: RelayedPacket, clockRateHz: number): void {
    if (!this.#relay || this.#isTaken || this.format === undefined) return;
    if (!this.#event) {
      this.leaveOut(packet);
      return;
    }
    this.#relay.event(packet, clockRateHz, this.#event, this.#latch.sendAddress, this.#latch.sendPort);
  }

  /** Another leg's packet that is not for this one: its number is not missed. */
  leaveOut(packet: RelayedPacket): void {
    this.#relay?.leaveOut(packet);
  }

  /**
   * What a recording of the call gets of this slot where the packets are withheld from it: the voices that may be
   * recorded, and what is played to the leg.
   * @param room undefined where nobody is heard
   */
  captureSlot(room: Int16Array | undefined): void {
    const { heard } = this;
    if (!heard?.withheld || this.format === undefined) return;
    const samples = new Int16Array(slotSamplesAt(this.#rateHz));
    if (this.#own) samples.set(this.#own);
    if (room && !this.#replaced) addSaturated(samples, room);
    heard.sentSamples(samples, this.#rateHz, this.#slotTime.atUs);
  }

  /** The other leg is gone, or no longer alone with this one. */
  endRelay(): void {
    this.#relay?.end();
  }

  /** @returns valid until the next slot */
  #playPrompt(sent: boolean): Int16Array {
    const prompt = (this.#prompt ??= new Int16Array(slotSamplesAt(this.#rateHz)));
    this.player.play(prompt, sent);
    this.tone.addTo(prompt, this.#rateHz, this.#slotTime.atUs);
    // The room's voices are added to it.
    if (this.heard?.withheld) this.#own = prompt.slice();
    return prompt;
  }

  #sent(header: Readonly<RtpHeader>, payload: Uint8Array, isSlot: boolean): void {
    const { heard } = this;
    if (!heard) return;
    const format = this.#formats.find(({ payloadType }) => payloadType === header.payloadType);
    const noise = this.#comfortNoise.find(({ payloadType }) => payloadType === header.payloadType);
    const slotAtUs = isSlot ? this.#slotTime.atUs : undefined;
    if (format) heard.sent(header, payload, format, slotAtUs);
    else if (noise) heard.sent(header, payload, { ...noise, codec: 'CN' }, slotAtUs);
  }

  #keepAlive(): void {
    const { sendAddress, sendPort } = this.#latch;
    if (!this.#keepsAlive || sendAddress === '' || ++this.#idleSlots < keepAliveSlots) return;
    this.#idleSlots = 0;
    const clockRateHz = this.#sender?.format?.clockRateHz;
    const noise = this.#comfortNoise.find((each) => each.clockRateHz === clockRateHz);
    const payload = noise ? silentNoise : noPayload;
    this.#sender?.sendKeepAlive(noise?.payloadType, payload, sendAddress, sendPort);
  }

  /** The stream is made of slots, whatever comes from another leg. */
  get #isTaken(): boolean {
    return this.playing || this.digits.active;
  }
}

function addSaturated(samples: Int16Array, added: Int16Array): void {
  for (let i = 0; i < samples.length; i++)
    samples[i] = Math.max(-32_768, Math.min(32_767, samples[i]! + added[i]!));
}
