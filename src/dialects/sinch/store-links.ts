import type { LinkSigner } from '../../auth/signed-link.ts';
import type { Clock } from '../../clock.ts';

const linkLifetimeMs = 7 * 24 * 3600 * 1000;

/** Where a file of our own store is, in the vendor's shape. */
export function storePath(key: string): string {
  return `/calling/v1/recording/${encodeURIComponent(key)}`;
}

/** As its application knows it, whose folder of the store it is in. */
export function ownName(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** What applications are told of it: to be fetched with their key and secret. */
export function storeUrl(publicUrl: string, key: string): string {
  return publicUrl + storePath(ownName(key));
}

/** Links that need no header, until they expire. */
export class StoreLinks {
  readonly #links: LinkSigner;
  readonly #clock: Clock;

  constructor(links: LinkSigner, clock: Clock) {
    this.#links = links;
    this.#clock = clock;
  }

  url(publicUrl: string, key: string): string {
    return publicUrl + this.#links.sign(storePath(key), this.#clock.unixMs() + linkLifetimeMs);
  }

  /** @throws CallreelError LINK_INVALID, LINK_EXPIRED */
  verify(key: string, query: Readonly<Record<string, unknown>>): void {
    this.#links.verify(storePath(key), query, this.#clock.unixMs());
  }
}
