import type { LinkSigner } from '../../auth/signed-link.ts';
import type { Clock } from '../../clock.ts';
import { CallreelError } from '../../errors.ts';

/** As long as a webhook may still be tried again, and as long again for whoever fetches late. */
const linkLifetimeMs = 7 * 24 * 3600 * 1000;

/** Where a recording's file is, in the vendor's shape (W27). */
export function downloadPath(recordingId: string): string {
  return `/api/v1/recordings/${encodeURIComponent(recordingId)}/download`;
}

/** Makes the links to recordings: they are fetched without a header until they expire. */
export class RecordingLinks {
  readonly #links: LinkSigner;
  readonly #clock: Clock;

  constructor(links: LinkSigner, clock: Clock) {
    this.#links = links;
    this.#clock = clock;
  }

  /** @param baseUrl of this server, without a slash at its end */
  url(baseUrl: string, recordingId: string): string {
    return baseUrl + this.#links.sign(downloadPath(recordingId), this.#clock.unixMs() + linkLifetimeMs);
  }

  /** @returns undefined for a URL that is none of ours, or that opens nothing (any more) */
  recordingOf(url: string, baseUrl: string): string | undefined {
    if (baseUrl === '' || !url.startsWith(`${baseUrl}/`)) return undefined;
    const parsed = URL.parse(url.slice(baseUrl.length), 'http://local');
    const recordingId = /^\/api\/v1\/recordings\/([0-9a-f]{1,64})\/download$/.exec(
      parsed?.pathname ?? '',
    )?.[1];
    if (!parsed || recordingId === undefined) return undefined;
    try {
      this.verify(recordingId, Object.fromEntries(parsed.searchParams));
      return recordingId;
    } catch (error) {
      if (error instanceof CallreelError) return undefined;
      throw error;
    }
  }

  /** @throws CallreelError LINK_INVALID, LINK_EXPIRED */
  verify(recordingId: string, query: Record<string, unknown>): void {
    this.#links.verify(downloadPath(recordingId), query, this.#clock.unixMs());
  }
}
