export const gcmTagBytes = 16;
export const gcmKeyBytes = 32;
export const gcmNonceBytes = 12;

/** AES-256-GCM (NIST SP 800-38D) with nonces of 12 bytes and whole tags. */
export interface AesGcm {
  /**
   * @param authenticated at most 64 bytes, sealed with the body and not in it
   * @param out has room for the body and the tag behind it; its beginning may be the body itself
   */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    authenticated: Uint8Array | undefined,
    body: Uint8Array,
    out: Uint8Array,
  ): void;
  /**
   * As `seal`, of a body of so many bytes of `memory`, from `at` on; with nothing authenticated beside it.
   * @param keys has the key at `keyAt` and the nonce behind it
   */
  sealInPlace(keys: Buffer, keyAt: number, memory: Buffer, at: number, bytes: number): void;
  /**
   * @param sealed a body with its tag behind it
   * @param out has room for the body
   * @returns false where it was not sealed so; `out` then holds what nobody may read
   */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    authenticated: Uint8Array | undefined,
    sealed: Uint8Array,
    out: Uint8Array,
  ): boolean;
}
