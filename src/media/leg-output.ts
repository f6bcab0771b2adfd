import type { CodecName } from '../codec/codec.ts';
import type { TransportPort } from '../rtp/transport.ts';
import { payloadDurationTicks } from '../timeline/payload-duration.ts';
import { silentSlot, slotSamples } from './codec-table.ts';
import type { LegNegotiate, NegotiatedCodec, NegotiatedTelephoneEvent, WorkerEvent } from './control.ts';
import { DigitSender } from './digit-sender.ts';
import { Player } from './player.ts';
import { Relay, type RelayedPacket } from './relay.ts';
import { RtpSender } from './rtp-sender.ts';
import type { SourceLatch } from './source-latch.ts';

/** Payload types below have their codec by RFC 3551, the same in both directions. */
const firstDynamicPayloadType = 96;

/**
 * Everything that one leg is sent, as one RTP stream. Each slot of 20 ms belongs to the first of these that wants it:
 * a key press, a prompt that stands for the room, the relay (whose packets go out as they come), the room's mix with
 * or without a prompt over it, silence. Nothing goes out while there is nowhere to send or the peer holds the call, but
 * time passes.
 */
export class LegOutput {
  readonly player: Player;
  readonly digits: DigitSender;
  readonly #latch: SourceLatch;
  readonly #prompt = new Int16Array(slotSamples);
  #sender: RtpSender | undefined;
  #relay: Relay | undefined;
  #sends = false;
  #formats: readonly NegotiatedCodec[] = [];
  #event: NegotiatedTelephoneEvent | undefined;

  constructor(legId: string, latch: SourceLatch, post: (event: WorkerEvent) => void) {
    this.#latch = latch;
    this.player = new Player(legId, post);
    this.digits = new DigitSender(legId, post);
  }

  attach(port: TransportPort): void {
    this.#sender = new RtpSender(port);
    this.#relay = new Relay(this.#sender);
  }

  close(): void {
    this.player.close();
    this.digits.close();
    this.#sender = undefined;
    this.#relay = undefined;
  }

  /** @throws CallreelError NO_COMMON_CODEC; nothing was changed then */
  negotiate({ send, receive, ptimeMs, telephoneEvent, direction }: LegNegotiate): void {
    this.#sender?.setFormat(send, ptimeMs);
    const others = receive.filter(({ payloadType }) => payloadType < firstDynamicPayloadType);
    this.#formats = [send, ...others];
    this.#sends = direction === 'sendrecv' || direction === 'sendonly';
    this.#event = telephoneEvent;
    this.digits.setFormat(telephoneEvent);
  }

  /** What the leg is sent is encoded so; undefined while nothing is to be sent. */
  get codec(): CodecName | undefined {
    return this.#sends && this.#latch.sendAddress !== '' ? this.#sender?.codec : undefined;
  }

  /** Whether `sendSamples` puts a prompt over what the leg is sent. */
  get playing(): boolean {
    return this.player.overRoom !== undefined;
  }

  /**
   * Begins a slot.
   * @returns the codec of what the caller is then to send in it; undefined when the slot is dealt with
   */
  beginSlot(): CodecName | undefined {
    const sender = this.#sender;
    const codec = this.codec;
    if (!sender || codec === undefined) {
      sender?.skip(1);
      this.#relay?.end();
      if (this.playing) this.player.play(this.#prompt, false);
      return undefined;
    }
    const { sendAddress, sendPort } = this.#latch;
    if (this.#isTaken) this.#relay?.end();
    if (this.digits.slot(sender, sendAddress, sendPort) || this.#relay?.holdsSlot()) {
      sender.skip(1);
      return undefined;
    }
    if (this.player.overRoom !== 'replace') return codec;
    this.player.play(this.#prompt, true);
    sender.sendSamples(this.#prompt, sendAddress, sendPort);
    return undefined;
  }

  /** The room's samples for this slot; a prompt is added in place. */
  sendSamples(samples: Int16Array): void {
    if (this.playing) {
      this.player.play(this.#prompt, true);
      addSaturated(samples, this.#prompt);
    }
    this.#sender?.sendSamples(samples, this.#latch.sendAddress, this.#latch.sendPort);
  }

  /** One slot, encoded already; not while a prompt plays. */
  sendSlot(payload: Uint8Array): void {
    this.#sender?.send(payload, this.#latch.sendAddress, this.#latch.sendPort);
  }

  /** A slot of a leg that hears nobody. */
  sendAlone(): void {
    const codec = this.beginSlot();
    if (codec === undefined) return;
    if (!this.playing) {
      this.sendSlot(silentSlot(codec));
      return;
    }
    this.player.play(this.#prompt, true);
    this.#sender?.sendSamples(this.#prompt, this.#latch.sendAddress, this.#latch.sendPort);
  }

  /** Lets slots pass that came too late to be sent; a prompt goes on behind them. */
  missSlots(slots: number): void {
    this.#sender?.skip(slots);
  }

  /** Sends another leg's packet as it is. @returns false when it has to be decoded and mixed */
  relay(packet: RelayedPacket, { codec, clockRateHz }: NegotiatedCodec): boolean {
    if (!this.#relay || this.#isTaken || this.codec === undefined) return false;
    for (const format of this.#formats) {
      if (format.codec !== codec || format.clockRateHz !== clockRateHz) continue;
      const ticks = payloadDurationTicks(codec, clockRateHz, packet.payload);
      this.#relay.audio(packet, format.payloadType, ticks, this.#latch.sendAddress, this.#latch.sendPort);
      return true;
    }
    this.#relay.end();
    return false;
  }

  /** Sends another leg's packet of a key press (RFC 4733), whether its audio is relayed or not. */
  relayEvent(packet: RelayedPacket, clockRateHz: number): void {
    if (!this.#relay || this.#isTaken || this.codec === undefined) return;
    if (this.#event?.clockRateHz !== clockRateHz) {
      this.leaveOut(packet);
      return;
    }
    const { payloadType, sendPayloadType = payloadType } = this.#event;
    this.#relay.event(packet, sendPayloadType, this.#latch.sendAddress, this.#latch.sendPort);
  }

  /** Another leg's packet that is not for this one: its number is not missed. */
  leaveOut(packet: RelayedPacket): void {
    this.#relay?.leaveOut(packet);
  }

  /** The other leg is gone, or no longer alone with this one. */
  endRelay(): void {
    this.#relay?.end();
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
