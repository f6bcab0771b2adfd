import { openApplicationSecret } from '../../auth/application-secret.ts';
import type { Credentials } from '../../auth/credentials.ts';
import { getApplication } from '../../database/applications.ts';
import type { Application, Db } from '../../database/schema.ts';
import { Secret } from '../../secret.ts';
import type { CallbackUrls } from './application-bodies.ts';
import { openDocument } from './document-secrets.ts';

/** Who asks, and who is asked: the two sign what they send with its secret. */
export interface SinchApplication {
  key: string;
  accountId: string;
  /** Base64, as the vendor gives it. */
  secret: Secret;
  callbacks: CallbackUrls;
  /** What is done with calls where there is no callback URL: SVAML, with the credentials of destinations. */
  document?: Secret<unknown>;
}

export interface SinchApplications {
  find(key: string): Promise<SinchApplication | undefined>;
}

export interface StoredSinchApplicationsOptions {
  db: Db;
  credentials: Credentials;
  masterKey: Secret<Buffer>;
}

/**
 * Those of the database, and the server's own account, which is always one: its key is the account id, its secret the
 * auth token. An application of the configuration has no secret but that.
 */
export class StoredSinchApplications implements SinchApplications {
  readonly #options: StoredSinchApplicationsOptions;

  constructor(options: StoredSinchApplicationsOptions) {
    this.#options = options;
  }

  /** @throws CallreelError SPOOL_KEY_MISSING when another master key sealed its secret */
  async find(key: string): Promise<SinchApplication | undefined> {
    const { db, credentials } = this.#options;
    const { accountId } = credentials;
    const row = await getApplication(db, accountId, key, 'sinch');
    if (row) return this.#read(row);
    if (key !== accountId) return undefined;
    const callbacks = { primary: undefined, fallback: undefined };
    return { key, accountId, secret: ownSecret(credentials), callbacks };
  }

  #read({ appId, accountId, onIncoming, fallbackUrl, sealedSecret, defaultRoutine }: Application) {
    const { credentials, masterKey } = this.#options;
    return {
      key: appId,
      accountId,
      secret:
        sealedSecret === null
          ? ownSecret(credentials)
          : openApplicationSecret(masterKey, appId, sealedSecret),
      callbacks: { primary: onIncoming ?? undefined, fallback: fallbackUrl ?? undefined },
      ...(defaultRoutine != null && { document: openDocument(defaultRoutine, masterKey) }),
    };
  }
}

/** The auth token, in the form in which the vendor's clients take a secret: base64. */
export function ownSecret({ authToken }: Pick<Credentials, 'authToken'>): Secret {
  return new Secret(Buffer.from(authToken.reveal()).toString('base64'));
}
