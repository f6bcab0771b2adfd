import type { LinkSigner } from '../../auth/signed-link.ts';
import type { Door } from '../../call/own-recordings.ts';
import type { Clock } from '../../clock.ts';

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

  /** Which file a link gives, for whoever reads it without HTTP. */
  readonly door: Door = ({ pathname, searchParams }) => {
    const [, recordingId] = /^\/api\/v1\/recordings\/([^/]+)\/download$/.exec(pathname) ?? [];
    if (recordingId === undefined) return undefined;
    this.verify(recordingId, Object.fromEntries(searchParams));
    return { recordingId, kind: 'mix', trackId: undefined };
  };

  /** @throws CallreelError LINK_INVALID, LINK_EXPIRED */
  verify(recordingId: string, query: Record<string, unknown>): void {
    this.#links.verify(downloadPath(recordingId), query, this.#clock.unixMs());
  }
}
