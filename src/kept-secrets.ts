import { keptSecret } from './auth/kept-secret.ts';
import type { Config } from './config.ts';
import { newWebhookSecret } from './delivery/webhooks.ts';
import { newSigningKey } from './dialects/signalwire/signature.ts';
import type { Secret } from './secret.ts';

type Secrets = Pick<Config, 'dataDir' | 'webhooks' | 'signalwire'>;

/** What signs our events, for every receiver. Made at the first start unless it is configured. */
export function webhookSecret({ dataDir, webhooks }: Secrets): Secret {
  return webhooks.secret ?? keptSecret(dataDir, 'webhook-secret', newWebhookSecret);
}

/** What signs requests to applications of the SignalWire dialect. As `webhookSecret`. */
export function signalwireSigningKey({ dataDir, signalwire }: Secrets): Secret {
  return signalwire.signingKey ?? keptSecret(dataDir, 'signalwire-signing-key', newSigningKey);
}
