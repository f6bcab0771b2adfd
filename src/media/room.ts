import type { CodecName, Encoder } from '../codec/codec.ts';
import { encoderFor, roomRateHz, silentSlot, slotSamples } from './codec-table.ts';
import type { MediaSession } from './media-session.ts';
import { Mixer } from './mixer.ts';

interface Member {
  readonly session: MediaSession;
  readonly frame: Int16Array;
  voiced: boolean;
}

/** The mix of everybody for those who were silent: mixed once a slot, encoded once a slot and codec. */
interface SharedSlot {
  readonly encoder: Encoder;
  readonly payload: Uint8Array;
  fresh: boolean;
}

/** A conference: every slot, each party is sent the sum of the others. */
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

  add(session: MediaSession): void {
    this.#members.push({ session, frame: new Int16Array(slotSamples), voiced: false });
  }

  remove(session: MediaSession): void {
    const index = this.#members.findIndex((member) => member.session === session);
    if (index >= 0) this.#members.splice(index, 1);
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
    for (const { session, frame, voiced } of this.#members) {
      const codec = session.sendCodec;
      if (codec === undefined) session.skipSlots(1);
      else if (!voiced) session.sendSlot(this.#sharedSlot(codec));
      else if (this.#mixer.speakers === 1) session.sendSlot(silentSlot(codec));
      else {
        this.#mixer.minus(frame, this.#mix);
        session.sendSamples(this.#mix);
      }
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
