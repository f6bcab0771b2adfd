import { randomBytes } from 'node:crypto';
import { newId } from '../ids.ts';
import type { Secret } from '../secret.ts';
import { keptSecret } from './kept-secret.ts';

/** The account every request acts for. */
export interface Credentials {
  accountId: string;
  authToken: Secret;
}

/** Takes what the configuration gives and keeps the rest in the data directory, made at the first start. */
export function loadCredentials(
  dataDir: string,
  configured: { accountId?: string | undefined; authToken?: Secret | undefined },
): Credentials {
  return {
    accountId: configured.accountId ?? keptSecret(dataDir, 'account-id', newId).reveal(),
    authToken:
      configured.authToken ?? keptSecret(dataDir, 'auth-token', () => randomBytes(24).toString('base64url')),
  };
}
