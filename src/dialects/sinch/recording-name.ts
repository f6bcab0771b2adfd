import type { RecordingFormat } from './recording-options.ts';

interface Named {
  /** Of its first sample. */
  startedUnixMs: number;
  applicationKey: string;
  /** Of the call, or of the conference. */
  id: string;
  format: RecordingFormat;
  /** From 1, among those of this id that began within one second. */
  ordinal?: number;
}

/** `yyyyMMddHHmmss_applicationKey_id.format`, UTC (features.md, S27, X9); a second one of that second has `_2`. */
export function generatedFileName({ startedUnixMs, applicationKey, id, format, ordinal = 1 }: Named): string {
  const digits = new Date(startedUnixMs).toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const unique = ordinal > 1 ? `_${ordinal}` : '';
  return `${digits}_${fileSafe(applicationKey)}_${fileSafe(id)}${unique}.${format}`;
}

/** `my.mp3` -> `my-transcript.json`, in the same folder (features.md, S41). */
export function transcriptFileName(recording: string): string {
  return `${recording.replace(/\.[^./]+$/, '')}-transcript.json`;
}

/** A conference's name is its maker's: it opens no folder. */
function fileSafe(part: string): string {
  return part.replaceAll(/[^\w.-]/g, '-').replace(/^\.+/, '-');
}
