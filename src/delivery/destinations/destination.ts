/**
 * Where recordings are written to. Whatever the scheme, a file arrives in one of two ways:
 *
 *   put                                           the whole of it at once
 *   beginUpload -> putPart ... -> completeUpload  in parts, in any order, also by another process after a crash
 *              \-> abortUpload
 *
 * Nothing is visible under the name before `put` or `completeUpload` answered. What was there before is overwritten
 * without a look. Only the right to write is needed: nothing is read, listed or asked for.
 *
 * Every method throws `CallreelError` only: DESTINATION_REFUSED with the storage's own words, DESTINATION_UNAVAILABLE
 * for what may pass, DESTINATION_FORBIDDEN, and DESTINATION_UPLOAD_LOST where `beginUpload` must be called again; and
 * the reason of `signal` once that is aborted.
 */
export interface Destination {
  /** Of every part but the last one. */
  readonly partBytes: number;
  readonly maxParts: number;
  /** How users name the object: no credentials in it. */
  urlOf(key: string): string;
  /** @param content at most `partBytes` */
  put(object: StoredObject, content: Uint8Array, signal: AbortSignal): Promise<void>;
  /** @returns an id that later calls, of a later process too, name the upload by */
  beginUpload(object: StoredObject, signal: AbortSignal): Promise<string>;
  /**
   * Writes a part, or writes it again.
   * @param partNumber from 1
   * @returns a receipt for `completeUpload`
   */
  putPart(upload: Upload, partNumber: number, content: Uint8Array, signal: AbortSignal): Promise<string>;
  /**
   * Makes the object of its parts. Called again after a crash, it either does so or says that the upload is lost.
   * @param receipts of part 1, 2, 3 ...
   */
  completeUpload(upload: Upload, receipts: readonly string[], signal: AbortSignal): Promise<void>;
  /** Frees what an upload took; one that is gone already is no error. */
  abortUpload(upload: Upload, signal: AbortSignal): Promise<void>;
  /** Ends idle connections. */
  close(): void;
}

export interface StoredObject {
  /** The full name within the bucket, container or store. */
  key: string;
  contentType: string;
}

export interface Upload extends StoredObject {
  uploadId: string;
}
