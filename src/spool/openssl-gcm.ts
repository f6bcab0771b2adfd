import type * as NodeFfi from 'node:ffi';
import { type AesGcm, gcmNonceBytes as nonceBytes, gcmTagBytes as tagBytes } from './gcm.ts';

const signatures = {
  EVP_aes_256_gcm: { arguments: [], return: 'pointer' },
  EVP_CIPHER_CTX_new: { arguments: [], return: 'pointer' },
  EVP_CipherInit_ex: {
    arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'int32'],
    return: 'int32',
  },
  EVP_CipherUpdate: { arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'int32'], return: 'int32' },
  EVP_CipherFinal_ex: { arguments: ['pointer', 'pointer', 'pointer'], return: 'int32' },
  EVP_CIPHER_CTX_ctrl: { arguments: ['pointer', 'int32', 'int32', 'pointer'], return: 'int32' },
} as const satisfies NodeFfi.FunctionDefinitions;

const keyBytes = 32;
const maxAuthenticatedBytes = 64;
/** EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_TAG. */
const getTag = 0x10;
const setTag = 0x11;

/** Where in the memory that OpenSSL is shown each stands. */
const nonceAt = keyBytes;
const lengthAt = 48;
const tagAt = 64;
const authenticatedAt = 80;
const memoryBytes = authenticatedAt + maxAuthenticatedBytes;

/**
 * The OpenSSL that Node has in it, called as it is: by way of `node:crypto` a body of a kilobyte costs three times as
 * much, most of it objects, and leaves garbage. The library is never closed, so no function outlives it.
 * @param proof that what it makes is held to
 * @returns undefined where there is no `node:ffi`, no such functions, or other results
 */
export function openOpenssl(proof: AesGcm): AesGcm | undefined {
  const { emitWarning } = process;
  try {
    // That it is experimental is no news to who runs a server.
    process.emitWarning = () => undefined;
    const ffi = process.getBuiltinModule('node:ffi') as typeof NodeFfi | undefined;
    const opened = ffi && new OpensslGcm(ffi);
    return opened && isRight(opened, proof) ? opened : undefined;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

function openFunctions(ffi: typeof NodeFfi) {
  return ffi.dlopen(null, signatures).functions;
}

class OpensslGcm implements AesGcm {
  readonly #ffi: typeof NodeFfi;
  readonly #evp: ReturnType<typeof openFunctions>;
  readonly #sealing: bigint;
  readonly #opening: bigint;
  /** Outside of V8's heap, so that it never moves. */
  readonly #memory = new Uint8Array(new ArrayBuffer(memoryBytes));
  readonly #key: bigint;
  readonly #nonce: bigint;
  readonly #length: bigint;
  readonly #tag: bigint;
  readonly #authenticated: bigint;

  constructor(ffi: typeof NodeFfi) {
    this.#ffi = ffi;
    this.#evp = openFunctions(ffi);
    this.#sealing = this.#newContext(1);
    this.#opening = this.#newContext(0);
    const memory = ffi.getRawPointer(this.#memory.buffer);
    this.#key = memory;
    this.#nonce = memory + BigInt(nonceAt);
    this.#length = memory + BigInt(lengthAt);
    this.#tag = memory + BigInt(tagAt);
    this.#authenticated = memory + BigInt(authenticatedAt);
  }

  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    authenticated: Uint8Array | undefined,
    body: Uint8Array,
    out: Uint8Array,
  ): void {
    const bytes = body.length;
    if (out.length < bytes + tagBytes) throw new RangeError('no room for what is sealed');
    const right =
      this.#begin(this.#sealing, key, nonce, authenticated, 1) &&
      this.#update(this.#sealing, body, out, bytes) &&
      this.#evp.EVP_CipherFinal_ex(this.#sealing, this.#tag, this.#length) === 1 &&
      this.#evp.EVP_CIPHER_CTX_ctrl(this.#sealing, getTag, tagBytes, this.#tag) === 1;
    if (!right) throw new Error('AES-256-GCM could not seal');
    const memory = this.#memory;
    for (let k = 0; k < tagBytes; k++) out[bytes + k] = memory[tagAt + k]!;
  }

  open(
    key: Uint8Array,
    nonce: Uint8Array,
    authenticated: Uint8Array | undefined,
    sealed: Uint8Array,
    out: Uint8Array,
  ): boolean {
    const bytes = sealed.length - tagBytes;
    if (bytes < 0) return false;
    if (out.length < bytes) throw new RangeError('no room for what is opened');
    const memory = this.#memory;
    for (let k = 0; k < tagBytes; k++) memory[tagAt + k] = sealed[bytes + k]!;
    return (
      this.#begin(this.#opening, key, nonce, authenticated, 0) &&
      this.#evp.EVP_CIPHER_CTX_ctrl(this.#opening, setTag, tagBytes, this.#tag) === 1 &&
      this.#update(this.#opening, sealed, out, bytes) &&
      this.#evp.EVP_CipherFinal_ex(this.#opening, this.#length, this.#length) === 1
    );
  }

  #newContext(encrypts: number): bigint {
    const context = this.#evp.EVP_CIPHER_CTX_new();
    if (context === 0n) throw new Error('no memory for a cipher');
    if (this.#evp.EVP_CipherInit_ex(context, this.#evp.EVP_aes_256_gcm(), 0n, 0n, 0n, encrypts) !== 1)
      throw new Error('no AES-256-GCM');
    return context;
  }

  #begin(
    context: bigint,
    key: Uint8Array,
    nonce: Uint8Array,
    authenticated: Uint8Array | undefined,
    encrypts: number,
  ): boolean {
    const memory = this.#memory;
    if (key.length !== keyBytes || nonce.length !== nonceBytes)
      throw new TypeError('AES-256-GCM has keys of 32 bytes and nonces of 12');
    memory.set(key);
    for (let k = 0; k < nonceBytes; k++) memory[nonceAt + k] = nonce[k]!;
    const begun = this.#evp.EVP_CipherInit_ex(context, 0n, 0n, this.#key, this.#nonce, encrypts) === 1;
    memory.fill(0, 0, keyBytes);
    if (!begun || !authenticated) return begun;
    if (authenticated.length > maxAuthenticatedBytes) throw new RangeError('too much to be authenticated');
    memory.set(authenticated, authenticatedAt);
    return (
      this.#evp.EVP_CipherUpdate(context, 0n, this.#length, this.#authenticated, authenticated.length) === 1
    );
  }

  #update(context: bigint, from: Uint8Array, out: Uint8Array, bytes: number): boolean {
    if (bytes === 0) return true;
    return (
      this.#evp.EVP_CipherUpdate(context, this.#pointer(out), this.#length, this.#pointer(from), bytes) === 1
    );
  }

  /** Of memory that the caller holds; asking for its buffer keeps that from moving. */
  #pointer({ buffer, byteOffset }: Uint8Array): bigint {
    return this.#ffi.getRawPointer(buffer as ArrayBuffer) + BigInt(byteOffset);
  }
}

function isRight(gcm: AesGcm, proof: AesGcm): boolean {
  const key = Uint8Array.from({ length: keyBytes }, (_, at) => 3 * at);
  const nonce = Uint8Array.from({ length: nonceBytes }, (_, at) => 5 * at);
  const body = Uint8Array.from({ length: 100 }, (_, at) => 7 * at);
  const sealed = Buffer.alloc(body.length + tagBytes);
  const expected = Buffer.alloc(body.length + tagBytes);
  const opened = Buffer.alloc(body.length);
  gcm.seal(key, nonce, nonce, body, sealed);
  proof.seal(key, nonce, nonce, body, expected);
  return sealed.equals(expected) && gcm.open(key, nonce, nonce, sealed, opened) && opened.equals(body);
}
