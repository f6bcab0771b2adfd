import { existsSync } from 'node:fs';
import { loadCredentials } from '../auth/credentials.ts';
import { type Config, loadConfig } from '../config.ts';
import { ownSecret } from '../dialects/sinch/application.ts';
import { CallreelError } from '../errors.ts';
import { signalwireSigningKey, webhookSecret } from '../kept-secrets.ts';
import { type Command, parseCommandLine } from './command.ts';
import { print } from './output.ts';

const secrets = {
  webhook: webhookSecret,
  signalwire: signalwireSigningKey,
  sinch: (config: Config) => ownSecret(loadCredentials(config.dataDir, config)),
};

export const secretCommands: Command[] = [
  {
    words: ['secret', 'show'],
    summary: 'what an application verifies our signatures with',
    usage: '(webhook | signalwire | sinch)',
    details: `  webhook          of the Standard Webhooks headers of every event
  signalwire       signing key of X-Signalwire-Signature, for applications of that dialect
  sinch            applicationSecret of the vendor's clients; the key that belongs to it is the account id

Reads the configuration and the data directory of this machine; prints nothing but the secret.`,
    async run(args) {
      const { positionals } = parseCommandLine(args, {}, ['SECRET']);
      const [name = ''] = positionals;
      if (!Object.hasOwn(secrets, name))
        throw new CallreelError('USAGE', 'expected webhook, signalwire or sinch', {
          where: name.slice(0, 64),
        });
      const config = loadConfig();
      if (!existsSync(config.dataDir))
        throw new CallreelError('FILE_UNUSABLE', 'the server has not been started here yet', {
          where: config.dataDir,
        });
      print(secrets[name as keyof typeof secrets](config).reveal());
    },
  },
];
