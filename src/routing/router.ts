import { findApplicationsOfNumbers } from '../database/numbers.ts';
import { ReadGroup } from '../database/read-group.ts';
import type { Application as ApplicationRow, Db } from '../database/schema.ts';
import type { SipAddress } from '../sip/session.ts';
import type { Application } from './application.ts';
import { numberSpellings } from './e164.ts';

/** In one query. */
const mostNumbers = 200;

/** Finds who serves a called address. Calls that ask at once are one query. */
export class Router {
  readonly #rows: ReadGroup<ApplicationRow>;

  constructor(db: Db) {
    this.#rows = new ReadGroup((numbers) => findApplicationsOfNumbers(db, numbers), mostNumbers);
  }

  /**
   * The application that serves a called address: by the user part as it stands, then as E.164 (with `+`), then without.
   * @param called the parsed Request-URI
   * @param country whose national numbers the peer speaks of
   */
  async findApplication(
    called: Pick<SipAddress, 'user'>,
    country?: string,
  ): Promise<Application | undefined> {
    const spellings = numberSpellings(called.user, country);
    const rows = await Promise.all(spellings.map((number) => this.#rows.get(number)));
    const row = rows.find((each) => each !== undefined);
    if (row === undefined) return undefined;
    return {
      appId: row.appId,
      accountId: row.accountId,
      name: row.name,
      dialect: row.dialect,
      onIncoming: row.onIncoming ?? undefined,
      defaultRoutine: row.defaultRoutine ?? undefined,
    };
  }
}
