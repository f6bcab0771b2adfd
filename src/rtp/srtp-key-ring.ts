import { readUint32 } from '../big-endian.ts';
import type { SrtpKeys } from '../sdp/srtp-parameters.ts';
import { createSrtpTransform } from './create-srtp-transform.ts';
import { SrtpReplayWindow } from './srtp-replay-window.ts';
import { notAuthentic, replayed, type SrtpTransform } from './srtp-transform.ts';

/** Only who has the key can open a stream; more than any phone uses. */
const maxStreams = 32;

/**
 * The master keys of one agreement, and how far each source got with them. Keys of one ring differ by their
 * identifiers and share the rollover counters (RFC 3711 section 3.2.3).
 */
export class SrtpKeyRing {
  readonly #keys: SrtpTransform[];
  readonly #before: SrtpKeyRing | undefined;
  /** By SSRC. */
  readonly #rtp = new Map<number, SrtpReplayWindow>();
  readonly #rtcp = new Map<number, SrtpReplayWindow>();

  /**
   * @param before whose rollover counters may go on
   * @throws CallreelError SDP_INVALID
   */
  constructor({ suite, keys }: SrtpKeys, before?: SrtpKeyRing) {
    this.#keys = keys.map((key) => createSrtpTransform(suite, key));
    this.#before = before?.withoutBefore();
  }

  /** @returns bytes, `notAuthentic` or `replayed` */
  openRtp(packet: Uint8Array, payloadOffset: number, ssrc: number, sequenceNumber: number): number {
    const key = this.#keyOf(packet);
    if (!key) return notAuthentic;
    const window = this.#rtp.get(ssrc);
    if (!window) return this.#openFirst(key, packet, payloadOffset, ssrc, sequenceNumber);
    const index = window.estimate(sequenceNumber);
    let refusal = notAuthentic;
    // The second is for a source that was not heard for more than half a wrap.
    for (const guess of [index, index + 0x1_0000]) {
      if (guess < 0) continue;
      if (window.isReplay(guess)) {
        refusal = replayed;
        continue;
      }
      const bytes = key.unprotectRtp(packet, payloadOffset, Math.floor(guess / 0x1_0000));
      if (bytes < 0) continue;
      window.add(guess);
      return bytes;
    }
    return refusal;
  }

  /** @returns as `openRtp` */
  openRtcp(packet: Uint8Array): number {
    const key = this.#keyOf(packet);
    const index = key?.rtcpIndex(packet) ?? -1;
    if (!key || index < 0) return notAuthentic;
    const ssrc = readUint32(packet, 4);
    const window = this.#rtcp.get(ssrc);
    if (window?.isReplay(index)) return replayed;
    const bytes = key.unprotectRtcp(packet);
    if (bytes < 0) return notAuthentic;
    (window ?? this.#begin(this.#rtcp, ssrc)).add(index);
    return bytes;
  }

  /** Without the agreements before this one, so that they do not pile up. */
  withoutBefore(): SrtpKeyRing {
    const ring = new SrtpKeyRing({ suite: 'AES_CM_128_HMAC_SHA1_80', keys: [] });
    for (const [ssrc, window] of this.#rtp) ring.#rtp.set(ssrc, window);
    return ring;
  }

  #keyOf(packet: Uint8Array): SrtpTransform | undefined {
    for (const key of this.#keys) if (key.isMeant(packet)) return key;
    return undefined;
  }

  /**
   * A source begins at rollover counter 0, or at 1 where what we get first came from behind a wrap. Under a new key
   * some senders go on counting (RFC 3711 section 3.3.1), others begin again.
   */
  #openFirst(
    key: SrtpTransform,
    packet: Uint8Array,
    payloadOffset: number,
    ssrc: number,
    sequenceNumber: number,
  ): number {
    const ring = this.#before;
    const before = ring ? ring.#rtp.get(ssrc) : undefined;
    const goesOn = before ? Math.floor(before.estimate(sequenceNumber) / 0x1_0000) : 0;
    for (const roc of goesOn > 1 ? [0, 1, goesOn] : [0, 1]) {
      const bytes = key.unprotectRtp(packet, payloadOffset, roc);
      if (bytes < 0) continue;
      this.#begin(this.#rtp, ssrc).add(roc * 0x1_0000 + sequenceNumber);
      return bytes;
    }
    return notAuthentic;
  }

  #begin(streams: Map<number, SrtpReplayWindow>, ssrc: number): SrtpReplayWindow {
    if (streams.size === maxStreams) streams.delete(streams.keys().next().value!);
    const window = new SrtpReplayWindow();
    streams.set(ssrc, window);
    return window;
  }
}
