import { z } from 'zod';
import type { UploadState } from './destinations/upload.ts';

/** An upload under way, as the row keeps it. */
export interface KeptUpload extends UploadState {
  /** How the file is made: parts of files that are made differently are never put together. */
  rendering: string;
  /** Of the whole file; undefined while it still grows. */
  bytes?: number | undefined;
  /** Digests of the parts that were sent while it grew (`early-uploads`), until they are compared with the file. */
  early?: Record<number, string> | undefined;
}

const byPart = z.record(z.coerce.number<string>().int(), z.string());
const keptUpload = z.object({
  uploadId: z.string(),
  receipts: byPart,
  rendering: z.string(),
  bytes: z.number().optional(),
  early: byPart.optional(),
});

/** @returns undefined where nothing is under way */
export function parseKeptUpload(kept: unknown): KeptUpload | undefined {
  return keptUpload.safeParse(kept).data;
}
