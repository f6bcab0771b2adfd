import { join, resolve } from 'node:path';
import { z } from 'zod';
import { audioFileFormats } from '../container/audio-file.ts';
import type { FileOrder } from '../worker/file-protocol.ts';

/** Files as the operator wants them (`recording.files`). */
export interface FileSettings {
  directory: string;
  format: FileOrder['format'];
  stereo: boolean;
}

const fileOrder = z.object({
  conversationId: z.string(),
  recordingId: z.string(),
  path: z.string().min(1),
  format: z.enum(audioFileFormats),
  stereo: z.boolean(),
});

/**
 * `<directory>/<YYYY>/<MM>/<DD>/<YYYYMMDDhhmmss>-<recordingId>.<format>`, in UTC. Nothing in it comes from callers.
 * @param startedUnixMs when the recording was started
 */
export function newFileOrder(
  { directory, format, stereo }: FileSettings,
  { conversationId, recordingId }: { conversationId: string; recordingId: string },
  startedUnixMs: number,
): FileOrder {
  const time = new Date(startedUnixMs).toISOString();
  const [year = '', month = '', day = ''] = time.slice(0, 10).split('-');
  const name = `${time.slice(0, 19).replace(/\D/g, '')}-${recordingId}.${format}`;
  const path = join(resolve(directory), year, month, day, name);
  return { conversationId, recordingId, path, format, stereo };
}

/** As a row or a manifest kept it. */
export function parseFileOrder(kept: unknown): FileOrder | undefined {
  return fileOrder.safeParse(kept).data;
}
