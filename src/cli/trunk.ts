import { readFileSync } from 'node:fs';
import { CallreelError } from '../errors.ts';
import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, numeric, oneOf, parseCommandLine, required } from './command.ts';
import { print, printFields, printJson, printTable } from './output.ts';

interface Trunk {
  trunk_id: string;
  name: string;
  host: string;
  port: number | null;
  transport: string;
  username: string | null;
  from_number: string | null;
  routes: { prefix: string; cost: number }[];
  source_networks: string[];
}

function routesText({ routes }: Trunk): string | null {
  return routes.map(({ prefix, cost }) => `${prefix}=${cost}`).join(' ') || null;
}

export const trunkCommands: Command[] = [
  {
    words: ['trunk', 'list'],
    summary: 'the SIP peers that calls go out by and come in from',
    usage: '',
    details: serverOptionsHelp,
    async run(args) {
      const { values } = parseCommandLine(args, serverOptions);
      const { results } = await ApiClient.open(values).get<{ results: Trunk[] }>('/v1/trunks');
      if (values.json) return printJson(results);
      printTable(
        ['NAME', 'HOST', 'PORT', 'TRANSPORT', 'USER', 'ROUTES', 'CALLS FROM', 'TRUNK ID'],
        results.map((trunk) => [
          trunk.name,
          trunk.host,
          trunk.port,
          trunk.transport,
          trunk.username,
          routesText(trunk),
          trunk.source_networks.join(' ') || null,
          trunk.trunk_id,
        ]),
      );
    },
  },
  {
    words: ['trunk', 'add'],
    summary: 'a new trunk',
    usage: 'NAME --host HOST [--route PREFIX=COST]...',
    details: `  --host HOST             name or address of the peer
  --port PORT             when it is not the usual one
  --transport udp|tcp     udp unless given
  --username NAME         for calls that the peer asks a password for
  --password-file FILE    holds the password; - reads it from the standard input
  --from NUMBER           shown to called parties instead of the caller's own number
  --route PREFIX=COST     what it reaches, + for all; the trunk with the lower cost is tried first
  --source NETWORK        its calls come from here (CIDR); without one, from HOST where that is an address
${serverOptionsHelp}`,
    async run(args) {
      const { values, positionals } = parseCommandLine(
        args,
        {
          ...serverOptions,
          host: { type: 'string' },
          port: { type: 'string' },
          transport: { type: 'string' },
          username: { type: 'string' },
          'password-file': { type: 'string' },
          from: { type: 'string' },
          route: { type: 'string', multiple: true, default: [] },
          source: { type: 'string', multiple: true, default: [] },
        },
        ['NAME'],
      );
      const passwordFile = values['password-file'];
      const trunk = await ApiClient.open(values).post<Trunk>('/v1/trunks', {
        name: positionals[0],
        host: required(values.host, 'host'),
        port: numeric(values.port, 'port'),
        transport: oneOf(values.transport, 'transport', ['udp', 'tcp']),
        username: values.username,
        password: passwordFile === undefined ? undefined : readPassword(passwordFile),
        from_number: values.from,
        routes: values.route.map(parseRoute),
        source_networks: values.source,
      });
      if (values.json) return printJson(trunk);
      printFields({ 'trunk id': trunk.trunk_id, name: trunk.name, routes: routesText(trunk) });
    },
  },
  {
    words: ['trunk', 'remove'],
    summary: 'a trunk goes; calls that run over it go on',
    usage: 'NAME',
    details: `  NAME             its name or its id
${serverOptionsHelp}`,
    async run(args) {
      const { values, positionals } = parseCommandLine(args, serverOptions, ['NAME']);
      const api = ApiClient.open(values);
      const { results } = await api.get<{ results: Trunk[] }>('/v1/trunks');
      const trunk = results.find(({ name, trunk_id }) => [name, trunk_id].includes(positionals[0]!));
      if (!trunk) throw new CallreelError('NOT_FOUND', 'there is no such trunk', { where: positionals[0] });
      await api.delete(`/v1/trunks/${trunk.trunk_id}`);
      print(`removed ${trunk.name}`);
    },
  },
];

function parseRoute(text: string): { prefix: string; cost: number } {
  const [prefix = '', cost = '0'] = text.split('=');
  return { prefix, cost: numeric(cost, 'route PREFIX=COST') ?? 0 };
}

/** Never from the command line itself: every user of the machine can read that. */
function readPassword(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new CallreelError('FILE_UNUSABLE', `${file} cannot be read`, { where: file, cause });
  }
}
