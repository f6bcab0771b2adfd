import type * as NodeFfi from 'node:ffi';
import { cipherSignatures, openByFfi } from '../node-ffi.ts';
import {
  type AesGcm,
  gcmKeyBytes as keyBytes,
  gcmNonceBytes as nonceBytes,
  gcmTagBytes as tagBytes,
} from './gcm.ts';

const signatures = {
  ...cipherSignatures,
  EVP_aes_256_gcm: { arguments: [], return: 'pointer' },
  EVP_CipherFinal_ex: { arguments: ['pointer', 'pointer', 'pointer', 'float'], return: 'int32' },
  EVP_CIPHER_CTX_get_params: { arguments: ['pointer', 'pointer', 'float'], return: 'int32' },
  EVP_CIPHER_CTX_set_params: { arguments: ['pointer', 'pointer', 'float'], return: 'int32' },
} as const satisfies NodeFfi.FunctionDefinitions;

const maxAuthenticatedBytes = 64;

/** Where in the memory that OpenSSL is shown each stands. */
const nonceAt = keyBytes;
const lengthAt = 48;
const tagAt = 64;
const authenticatedAt = 80;
const tagNameAt = authenticatedAt + maxAuthenticatedBytes;
const parametersAt = tagNameAt + 8;
/** Two `OSSL_PARAM`: the tag, and the end. */
const parameterBytes = 40;
const memoryBytes = parametersAt + 2 * parameterBytes;
const octetString = 5n;

/**
 * The OpenSSL that Node has in it, called as it is: by way of `node:crypto` a body of a kilobyte costs several times
 * as much, most of it objects, and leaves garbage. The library is never closed, so no function outlives it.
 * @param proof that what it makes is held to
 * @returns undefined where there is no `node:ffi`, no such functions, or other results
 */
export function openOpenssl(proof: AesGcm): AesGcm | undefined {
  return openByFfi<AesGcm>(
    (ffi) => new OpensslGcm(ffi),
    (gcm) => isRight(gcm, proof),
  );
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
  readonly #tagParameter: bigint;
  /** Whoever seals or opens much uses the same memory again and again. */
  #known: [ArrayBufferLike, bigint] | undefined;
  #alsoKnown: [ArrayBufferLike, bigint] | undefined;
  /** As of `sealInPlace`: to ask for its buffer takes a call. */
  #ownMemory: Uint8Array = new Uint8Array(0);
  #ownPointer = 0n;
  #ownKeys: Uint8Array = new Uint8Array(0);
  #ownKeysPointer = 0n;

  constructor(ffi: typeof NodeFfi) {
    this.#ffi = ffi;
    this.#evp = openFunctions(ffi);
    this.#sealing = this.#newContext(1n);
    this.#opening = this.#newContext(0n);
    const memory = ffi.getRawPointer(this.#memory.buffer);
    this.#key = memory;
    this.#nonce = memory + BigInt(nonceAt);
    this.#length = memory + BigInt(lengthAt);
    this.#tag = memory + BigInt(tagAt);
    this.#authenticated = memory + BigInt(authenticatedAt);
    this.#tagParameter = memory + BigInt(parametersAt);
    Buffer.from(this.#memory.buffer).write('tag', tagNameAt);
    const fields = [memory + BigInt(tagNameAt), octetString, this.#tag, BigInt(tagBytes), 0n];
    new BigUint64Array(this.#memory.buffer, parametersAt, fields.length).set(fields);
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
      this.#begin(this.#sealing, key, nonce, authenticated, 1n) &&
      this.#update(this.#sealing, body, out, bytes);
    this.#endSealing(right, out, bytes);
  }

  sealInPlace(keys: Buffer, keyAt: number, memory: Buffer, at: number, bytes: number): void {
    if (at < 0 || bytes < 0 || at + bytes + tagBytes > memory.length)
      throw new RangeError('no room for what is sealed');
    if (keyAt < 0 || keyAt + keyBytes + nonceBytes > keys.length)
      throw new RangeError('no key and nonce to seal with');
    if (this.#ownMemory !== memory) {
      this.#ownPointer = this.#pointer(memory);
      this.#ownMemory = memory;
    }
    if (this.#ownKeys !== keys) {
      this.#ownKeysPointer = this.#pointer(keys);
      this.#ownKeys = keys;
    }
    const key = pointerTo(this.#ownKeysPointer, keyAt);
    const nonce = pointerTo(this.#ownKeysPointer, keyAt + keyBytes);
    const body = pointerTo(this.#ownPointer, at);
    const length = BigInt.asUintN(64, BigInt(bytes));
    const right =
      this.#evp.EVP_CipherInit(this.#sealing, 0n, key, nonce, 1n, 0) === 1 &&
      (bytes === 0 || this.#evp.EVP_CipherUpdate(this.#sealing, body, this.#length, body, length, 0) === 1);
    this.#endSealing(right, memory, at + bytes);
  }

  #endSealing(right: boolean, out: Uint8Array, at: number): void {
    const ended =
      right &&
      this.#evp.EVP_CipherFinal_ex(this.#sealing, this.#tag, this.#length, 0) === 1 &&
      this.#evp.EVP_CIPHER_CTX_get_params(this.#sealing, this.#tagParameter, 0) === 1;
    if (!ended) throw new Error('AES-256-GCM could not seal');
    const memory = this.#memory;
    for (let k = 0; k < tagBytes; k++) out[at + k] = memory[tagAt + k]!;
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
      this.#begin(this.#opening, key, nonce, authenticated, 0n) &&
      this.#evp.EVP_CIPHER_CTX_set_params(this.#opening, this.#tagParameter, 0) === 1 &&
      this.#update(this.#opening, sealed, out, bytes) &&
      this.#evp.EVP_CipherFinal_ex(this.#opening, this.#length, this.#length, 0) === 1
    );
  }

  #newContext(encrypts: bigint): bigint {
    const context = this.#evp.EVP_CIPHER_CTX_new();
    if (context === 0n) throw new Error('no memory for a cipher');
    if (this.#evp.EVP_CipherInit(context, this.#evp.EVP_aes_256_gcm(), 0n, 0n, encrypts, 0) !== 1)
      throw new Error('no AES-256-GCM');
    return context;
  }

  #begin(
    context: bigint,
    key: Uint8Array,
    nonce: Uint8Array,
    authenticated: Uint8Array | undefined,
    encrypts: bigint,
  ): boolean {
    const memory = this.#memory;
    if (key.length !== keyBytes || nonce.length !== nonceBytes)
      throw new TypeError('AES-256-GCM has keys of 32 bytes and nonces of 12');
    for (let k = 0; k < keyBytes; k++) memory[k] = key[k]!;
    for (let k = 0; k < nonceBytes; k++) memory[nonceAt + k] = nonce[k]!;
    const begun = this.#evp.EVP_CipherInit(context, 0n, this.#key, this.#nonce, encrypts, 0) === 1;
    for (let k = 0; k < keyBytes; k++) memory[k] = 0;
    if (!begun || !authenticated) return begun;
    if (authenticated.length > maxAuthenticatedBytes) throw new RangeError('too much to be authenticated');
    const bytes = authenticated.length;
    for (let k = 0; k < bytes; k++) memory[authenticatedAt + k] = authenticated[k]!;
    return this.#evp.EVP_CipherUpdate(context, 0n, this.#length, this.#authenticated, BigInt(bytes), 0) === 1;
  }

  #update(context: bigint, from: Uint8Array, out: Uint8Array, bytes: number): boolean {
    if (bytes === 0) return true;
    const [to, body] = [this.#pointer(out), this.#pointer(from)];
    return this.#evp.EVP_CipherUpdate(context, to, this.#length, body, BigInt(bytes), 0) === 1;
  }

  /** Of memory that the caller holds; asking for its buffer keeps that from moving. */
  #pointer({ buffer, byteOffset }: Uint8Array): bigint {
    if (this.#known?.[0] === buffer) return this.#known[1] + BigInt(byteOffset);
    const other = this.#alsoKnown;
    this.#alsoKnown = this.#known;
    this.#known = other?.[0] === buffer ? other : [buffer, this.#ffi.getRawPointer(buffer as ArrayBuffer)];
    return this.#known[1] + BigInt(byteOffset);
  }
}

/** Optimized code makes no object of a number that is cut to 64 bits. */
function pointerTo(memory: bigint, at: number): bigint {
  return BigInt.asUintN(64, memory + BigInt(at));
}

function isRight(gcm: AesGcm, proof: AesGcm): boolean {
  const key = Uint8Array.from({ length: keyBytes }, (_, at) => 3 * at);
  const nonce = Uint8Array.from({ length: nonceBytes }, (_, at) => 5 * at);
  const body = Uint8Array.from({ length: 100 }, (_, at) => 7 * at);
  const sealed = Buffer.alloc(body.length + tagBytes);
  const expected = Buffer.alloc(body.length + tagBytes);
  const opened = Buffer.alloc(body.length);
  const [inPlace, expectedInPlace] = [Buffer.alloc(200, 9), Buffer.alloc(200, 9)];
  const keys = Buffer.concat([nonce, key, nonce]);
  gcm.sealInPlace(keys, nonceBytes, inPlace, 20, 100);
  proof.sealInPlace(keys, nonceBytes, expectedInPlace, 20, 100);
  if (!inPlace.equals(expectedInPlace)) return false;
  gcm.seal(key, nonce, nonce, body, sealed);
  proof.seal(key, nonce, nonce, body, expected);
  return sealed.equals(expected) && gcm.open(key, nonce, nonce, sealed, opened) && opened.equals(body);
}
