import { type Cipheriv, createCipheriv, createHmac } from 'node:crypto';
import { writeUint32 } from '../big-endian.ts';
import type { CounterMode, NewCounterMode } from './counter-mode.ts';
import { openOpensslCounterMode } from './openssl-counter-mode.ts';
import { xorUint32 } from './srtp-bytes.ts';
import type { SessionKeys } from './srtp-session-keys.ts';

const blockBytes = 16;

/** By way of `node:crypto`: an object for each tag. */
export const nodeCounterMode: NewCounterMode = (keys) => new NodeCounterMode(keys);

let chosen: NewCounterMode | undefined;

/** The one of this thread: with objects for each packet, SRTP costs more than all else that a packet does. */
export const newCounterMode: NewCounterMode = (keys) =>
  (chosen ??= openOpensslCounterMode(nodeCounterMode) ?? nodeCounterMode)(keys);

class NodeCounterMode implements CounterMode {
  readonly #salt: Uint8Array;
  readonly #authenticationKey: Uint8Array;
  readonly #blockCipher: Cipheriv;
  readonly #roc = new Uint8Array(4);
  #counters = new Uint8Array(16 * blockBytes);

  constructor({ cipherKey, salt, authenticationKey }: SessionKeys) {
    this.#salt = salt;
    this.#authenticationKey = authenticationKey;
    // Its state is none: one object makes the key stream of every packet.
    this.#blockCipher = createCipheriv('aes-128-ecb', cipherKey, null).setAutoPadding(false);
  }

  crypt(packet: Uint8Array, from: number, to: number, ssrc: number, roc: number, sequence: number): void {
    const blocks = Math.ceil((to - from) / blockBytes);
    if (blocks <= 0) return;
    if (this.#counters.length < blocks * blockBytes) this.#counters = new Uint8Array(blocks * blockBytes);
    const counters = this.#counters;
    for (let block = 0; block < blocks; block++) {
      const at = block * blockBytes;
      counters.set(this.#salt, at);
      xorUint32(counters, at + 4, ssrc);
      xorUint32(counters, at + 8, roc);
      counters[at + 12]! ^= sequence >>> 8;
      counters[at + 13]! ^= sequence & 0xff;
      counters[at + 14] = block >>> 8;
      counters[at + 15] = block;
    }
    const keyStream = this.#blockCipher.update(counters.subarray(0, blocks * blockBytes));
    for (let i = from; i < to; i++) packet[i]! ^= keyStream[i - from]!;
  }

  tag(packet: Uint8Array, bytes: number, roc: number | undefined): Uint8Array {
    const hmac = createHmac('sha1', this.#authenticationKey).update(packet.subarray(0, bytes));
    if (roc !== undefined) {
      writeUint32(this.#roc, 0, roc);
      hmac.update(this.#roc);
    }
    return hmac.digest();
  }
}
