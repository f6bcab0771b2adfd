import { findApplicationOfNumber } from '../database/numbers.ts';
import type { Db } from '../database/schema.ts';
import type { SipAddress } from '../sip/session.ts';
import type { Application } from './application.ts';
import { numberSpellings } from './e164.ts';

/**
 * The application that serves a called address: by the user part as it stands, then as E.164 (with `+`), then without.
 * @param called the parsed Request-URI
 * @param country whose national numbers the peer speaks of
 */
export async function findApplication(
  db: Db,
  called: Pick<SipAddress, 'user'>,
  country?: string,
): Promise<Application | undefined> {
  for (const number of numberSpellings(called.user, country)) {
    const row = await findApplicationOfNumber(db, number);
    if (row)
      return {
        appId: row.appId,
        accountId: row.accountId,
        name: row.name,
        dialect: row.dialect,
        onIncoming: row.onIncoming ?? undefined,
        defaultRoutine: row.defaultRoutine ?? undefined,
      };
  }
  return undefined;
}
