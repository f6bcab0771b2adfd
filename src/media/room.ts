import type { CodecName, Encoder } from '../codec/codec.ts';
import { encoderFor, roomRateHz, silentSlot, slotSamples } from './codec-table.ts';
import type { RoomMode } from './control.ts';
import type { MediaSession } from './media-session.ts';
import { Mixer } from './mixer.ts';

interface Member {
  readonly session: MediaSession;
  readonly mode: RoomMode;
  readonly frame: Int16Array;
  voiced: boolean;
}

/** The mix of everybody for those who were silent: mixed once a slot, encoded once a slot and codec. */
interface SharedSlot {
  readonly encoder: Encoder;
  readonly payload: Uint8Array;
  fresh: boolean;
}

/**
 * A conference: every slot, each party is sent the sum of the others. Two parties that are alone in it may be relayed:
 * what they send then goes past the mixer to the other, and only the rest of it is mixed.
 */
export class Room {
  readonly roomId: string;
  readonly #members: Member[] = [];
  readonly #mixer = new Mixer(slotSamples);
  readonly #mix = new Int16Array(slotSamples);
  readonly #shared = new Map<CodecName, SharedSlot>();

  constructor(roomId: string) {
    this.roomId = roomId;
  }

  get size(): number {
    return this.#members.length;
  }

  add(session: MediaSession, mode: RoomMode): void {
    this.#members.push({ session, mode, frame: new Int16Array(slotSamples), voiced: false });
    this.#linkRelay();
  }

  remove(session: MediaSession): void {
    const index = this.#members.findIndex((member) => member.session === session);
    if (index < 0) return;
    this.#members.splice(index, 1);
    session.relayTo(undefined);
    this.#linkRelay();
  }

  sessions(): MediaSession[] {
    return this.#members.map(({ session }) => session);
  }

  /** One slot of 20 ms: takes a frame of each party, sends each its mix. */
  mixSlot(): void {
    this.#mixer.clear();
    for (const member of this.#members) {
      member.voiced = member.session.takeFrame(member.frame);
      if (member.voiced) this.#mixer.add(member.frame);
    }
    for (const slot of this.#shared.values()) slot.fresh = false;
    for (const member of this.#members) this.#sendSlot(member);
  }

  #sendSlot({ session: { output }, frame, voiced }: Member): void {
    const codec = output.beginSlot();
    if (codec === undefined) return;
    const others = this.#mixer.speakers - (voiced ? 1 : 0);
    if (others === 0 && !output.playing) output.sendSlot(silentSlot(codec));
    else if (!voiced && !output.playing) output.sendSlot(this.#sharedSlot(codec));
    else {
      if (voiced) this.#mixer.minus(frame, this.#mix);
      else this.#mixer.all(this.#mix);
      output.sendSamples(this.#mix);
    }
  }

  #linkRelay(): void {
    const relayed = this.#members.length === 2 && this.#members.every(({ mode }) => mode === 'relay');
    const [first, second] = this.#members;
    for (const { session } of this.#members) {
      const other = session === first?.session ? second : first;
      session.relayTo(relayed ? other?.session.output : undefined);
    }
  }

  #sharedSlot(codec: CodecName): Uint8Array {
    if (this.#mixer.speakers === 0) return silentSlot(codec);
    let slot = this.#shared.get(codec);
    if (!slot) {
      const encoder = encoderFor({ codec, clockRateHz: roomRateHz, payloadType: 0 });
      slot = { encoder, payload: new Uint8Array(slotSamples), fresh: false };
      this.#shared.set(codec, slot);
    }
    if (!slot.fresh) {
      this.#mixer.all(this.#mix);
      slot.encoder.encode(this.#mix, slot.payload);
      slot.fresh = true;
    }
    return slot.payload;
  }
}
