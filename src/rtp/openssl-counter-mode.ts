import type * as NodeFfi from 'node:ffi';
import { writeUint32 } from '../big-endian.ts';
import { cipherSignatures, openByFfi } from '../node-ffi.ts';
import type { CounterMode, NewCounterMode } from './counter-mode.ts';
import { xorUint32 } from './srtp-bytes.ts';
import type { SessionKeys } from './srtp-session-keys.ts';

const signatures = {
  ...cipherSignatures,
  EVP_aes_128_ctr: { arguments: [], return: 'pointer' },
  SHA1_Init: { arguments: ['pointer', 'float'], return: 'int32' },
  SHA1_Update: { arguments: ['pointer', 'pointer', 'pointer', 'float'], return: 'int32' },
  SHA1_Final: { arguments: ['pointer', 'pointer', 'float'], return: 'int32' },
} as const satisfies NodeFfi.FunctionDefinitions;

const keyBytes = 16;
const saltBytes = 14;
const ivBytes = 16;
const blockBytes = 64;
const digestBytes = 20;
/** SHA_CTX of OpenSSL: five words of state, two of length, a block, and how much of it is filled. */
const stateBytes = 96;
/** As much of a packet as is there at once. */
const pieceBytes = 2048;

/** Where in the memory that OpenSSL is shown each stands. */
const ivAt = keyBytes;
const lengthAt = ivAt + ivBytes;
const digestAt = 48;
const stateAt = 128;
const pieceAt = 256;
const memoryBytes = pieceAt + pieceBytes;

/** RFC 2104. */
const innerPad = 0x36;
const outerPad = 0x5c;

/** As arguments; making one for each call would leave garbage. */
const sizes = Array.from({ length: pieceBytes + 1 }, (_, bytes) => BigInt(bytes));

/**
 * The OpenSSL that Node has in it, called as it is. SHA-1 by its oldest functions, whose state is plain memory: that of
 * a key is kept, and a tag is two copies of it, where an HMAC of `node:crypto` or EVP makes objects for each.
 * @param proof that what it makes is held to
 * @returns undefined where there is no `node:ffi`, no such functions, or other results
 */
export function openOpensslCounterMode(proof: NewCounterMode): NewCounterMode | undefined {
  return openByFfi<NewCounterMode>(
    (ffi) => {
      const openssl = new Openssl(ffi);
      return (keys) => new OpensslCounterMode(openssl, keys);
    },
    (newCounterMode) => isRight(newCounterMode, proof),
  );
}

function openFunctions(ffi: typeof NodeFfi) {
  return ffi.dlopen(null, signatures).functions;
}

/** What all keys of a thread share: one context, which is given the key anew for each packet, and the memory. */
class Openssl {
  readonly evp: ReturnType<typeof openFunctions>;
  /** Outside of V8's heap, so that it never moves. */
  readonly memory = new Uint8Array(new ArrayBuffer(memoryBytes));
  readonly digest = this.memory.subarray(digestAt, digestAt + digestBytes);
  readonly context: bigint;
  readonly key: bigint;
  readonly iv: bigint;
  readonly length: bigint;
  readonly digestPointer: bigint;
  readonly state: bigint;
  readonly piece: bigint;

  constructor(ffi: typeof NodeFfi) {
    this.evp = openFunctions(ffi);
    this.context = this.evp.EVP_CIPHER_CTX_new();
    if (this.context === 0n) throw new Error('no memory for a cipher');
    if (this.evp.EVP_CipherInit(this.context, this.evp.EVP_aes_128_ctr(), 0n, 0n, 1n, 0) !== 1)
      throw new Error('no AES-128 in counter mode');
    const memory = ffi.getRawPointer(this.memory.buffer);
    this.key = memory;
    this.iv = memory + BigInt(ivAt);
    this.length = memory + BigInt(lengthAt);
    this.digestPointer = memory + BigInt(digestAt);
    this.state = memory + BigInt(stateAt);
    this.piece = memory + BigInt(pieceAt);
  }

  /** @returns the state behind one block of the key and `pad` */
  stateOf(authenticationKey: Uint8Array, pad: number): Uint8Array {
    const { memory, evp } = this;
    for (let k = 0; k < blockBytes; k++) memory[pieceAt + k] = (authenticationKey[k] ?? 0) ^ pad;
    evp.SHA1_Init(this.state, 0);
    evp.SHA1_Update(this.state, this.piece, sizes[blockBytes]!, 0);
    memory.fill(0, pieceAt, pieceAt + blockBytes);
    return memory.slice(stateAt, stateAt + stateBytes);
  }
}

class OpensslCounterMode implements CounterMode {
  readonly #openssl: Openssl;
  readonly #cipherKey: Uint8Array;
  readonly #salt: Uint8Array;
  readonly #inner: Uint8Array;
  readonly #outer: Uint8Array;

  constructor(openssl: Openssl, { cipherKey, salt, authenticationKey }: SessionKeys) {
    const isRightKey =
      cipherKey.length === keyBytes && salt.length === saltBytes && authenticationKey.length <= blockBytes;
    if (!isRightKey) throw new TypeError('keys of 16 bytes, salts of 14 and authentication keys of up to 64');
    this.#openssl = openssl;
    this.#cipherKey = cipherKey;
    this.#salt = salt;
    this.#inner = openssl.stateOf(authenticationKey, innerPad);
    this.#outer = openssl.stateOf(authenticationKey, outerPad);
  }

  crypt(packet: Uint8Array, from: number, to: number, ssrc: number, roc: number, sequence: number): void {
    const { evp, memory, context, piece, length } = this.#openssl;
    this.#begin(ssrc, roc, sequence);
    for (let at = from; at < to; at += pieceBytes) {
      const bytes = Math.min(pieceBytes, to - at);
      for (let k = 0; k < bytes; k++) memory[pieceAt + k] = packet[at + k]!;
      if (evp.EVP_CipherUpdate(context, piece, length, piece, sizes[bytes]!, 0) !== 1)
        throw new Error('AES-128 in counter mode failed');
      for (let k = 0; k < bytes; k++) packet[at + k] = memory[pieceAt + k]!;
    }
  }

  tag(packet: Uint8Array, bytes: number, roc: number | undefined): Uint8Array {
    const { evp, memory, state, piece, digest, digestPointer } = this.#openssl;
    memory.set(this.#inner, stateAt);
    for (let at = 0; at < bytes; at += pieceBytes) {
      const part = Math.min(pieceBytes, bytes - at);
      for (let k = 0; k < part; k++) memory[pieceAt + k] = packet[at + k]!;
      evp.SHA1_Update(state, piece, sizes[part]!, 0);
    }
    if (roc !== undefined) {
      writeUint32(memory, pieceAt, roc);
      evp.SHA1_Update(state, piece, sizes[4]!, 0);
    }
    evp.SHA1_Final(digestPointer, state, 0);
    memory.set(this.#outer, stateAt);
    evp.SHA1_Update(state, digestPointer, sizes[digestBytes]!, 0);
    evp.SHA1_Final(digestPointer, state, 0);
    return digest;
  }

  #begin(ssrc: number, roc: number, sequence: number): void {
    const { evp, memory, context, key, iv } = this.#openssl;
    memory.set(this.#cipherKey, 0);
    memory.set(this.#salt, ivAt);
    memory[ivAt + saltBytes] = memory[ivAt + saltBytes + 1] = 0;
    xorUint32(memory, ivAt + 4, ssrc);
    xorUint32(memory, ivAt + 8, roc);
    memory[ivAt + 12]! ^= sequence >>> 8;
    memory[ivAt + 13]! ^= sequence & 0xff;
    const begun = evp.EVP_CipherInit(context, 0n, key, iv, 1n, 0) === 1;
    memory.fill(0, 0, keyBytes);
    if (!begun) throw new Error('AES-128 in counter mode could not begin');
  }
}

function isRight(direct: NewCounterMode, proof: NewCounterMode): boolean {
  const bytes = (count: number, factor: number) => Uint8Array.from({ length: count }, (_, at) => factor * at);
  const keys = {
    cipherKey: bytes(keyBytes, 3),
    salt: bytes(saltBytes, 5),
    authenticationKey: bytes(digestBytes, 7),
  };
  const packets = [direct, proof].map((make) => {
    const mode = make(keys);
    const packet = bytes(172, 11);
    mode.crypt(packet, 12, packet.length, 0xcafebabe, 0x1020304, 0x5060);
    return Buffer.concat([packet, mode.tag(packet, packet.length, 0x1020304)]);
  });
  return packets[0]!.equals(packets[1]!);
}
