import type { ParseArgsOptionsConfig } from 'node:util';
import { CallreelError } from '../errors.ts';
import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, numeric, oneOf, parseCommandLine, required } from './command.ts';
import { print, printFields, printJson, printTable } from './output.ts';
import { readSecretFile } from './secret-file.ts';

interface Registration {
  state: string;
  since: string;
  expires_at: string | null;
  next_attempt_at: string | null;
  last_error: string | null;
}

interface Trunk {
  trunk_id: string;
  name: string;
  host: string;
  port: number | null;
  transport: string;
  gateways: { host: string; port: number | null }[];
  outbound_proxy: string | null;
  username: string | null;
  registrar: string | null;
  contact_user: string | null;
  from_number: string | null;
  routes: { prefix: string; cost: number }[];
  priority: number;
  source_networks: string[];
  from_user: string | null;
  from_domain: string | null;
  caller_id: string;
  privacy: string;
  trust_identity: boolean;
  number_format: string;
  country: string | null;
  dial_prefix: string | null;
  codecs: string[] | null;
  srtp: string | null;
  tls_verify: boolean | null;
  registration: Registration | null;
}

function routesText({ routes }: Trunk): string | null {
  return routes.map(({ prefix, cost }) => `${prefix}=${cost}`).join(' ') || null;
}

/** `registered`, `failing since 2026-11-21T10:00:00.000Z`; nothing for a trunk that does not register. */
function stateText({ registration }: Trunk): string | null {
  if (registration === null) return null;
  const { state, since } = registration;
  return state === 'failing' ? `failing since ${since}` : state;
}

async function findTrunk(api: ApiClient, nameOrId: string): Promise<Trunk> {
  const { results } = await api.get<{ results: Trunk[] }>('/v1/trunks');
  const trunk = results.find(({ name, trunk_id }) => [name, trunk_id].includes(nameOrId));
  if (trunk) return trunk;
  throw new CallreelError('NOT_FOUND', 'there is no such trunk', { where: nameOrId });
}

const oneTrunkHelp = `  NAME             its name or its id
${serverOptionsHelp}`;

/** Made anew for each command: `parseArgs` wants to own its defaults. */
function addOptions() {
  return {
    ...serverOptions,
    host: { type: 'string' },
    port: { type: 'string' },
    transport: { type: 'string' },
    gateway: { type: 'string', multiple: true },
    proxy: { type: 'string' },
    username: { type: 'string' },
    'password-file': { type: 'string' },
    register: { type: 'boolean', default: false },
    registrar: { type: 'string' },
    'contact-user': { type: 'string' },
    from: { type: 'string' },
    'from-user': { type: 'string' },
    'from-domain': { type: 'string' },
    'caller-id': { type: 'string' },
    privacy: { type: 'string' },
    'distrust-identity': { type: 'boolean', default: false },
    'number-format': { type: 'string' },
    country: { type: 'string' },
    'dial-prefix': { type: 'string' },
    codec: { type: 'string', multiple: true },
    srtp: { type: 'string' },
    'tls-no-verify': { type: 'boolean', default: false },
    priority: { type: 'string' },
    route: { type: 'string', multiple: true },
    source: { type: 'string', multiple: true },
  } satisfies ParseArgsOptionsConfig;
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
        ['NAME', 'HOST', 'PORT', 'TRANSPORT', 'USER', 'REGISTRATION', 'ROUTES', 'CALLS FROM', 'TRUNK ID'],
        results.map((trunk) => [
          trunk.name,
          trunk.host,
          trunk.port,
          trunk.transport,
          trunk.username,
          stateText(trunk),
          routesText(trunk),
          trunk.source_networks.join(' ') || null,
          trunk.trunk_id,
        ]),
      );
    },
  },
  {
    words: ['trunk', 'show'],
    summary: 'one trunk: its settings, and how its registration stands',
    usage: 'NAME',
    details: oneTrunkHelp,
    async run(args) {
      const { values, positionals } = parseCommandLine(args, serverOptions, ['NAME']);
      const trunk = await findTrunk(ApiClient.open(values), positionals[0]!);
      if (values.json) return printJson(trunk);
      const { registration, gateways, routes, source_networks, ...plain } = trunk;
      const fields = Object.entries(plain).map(([name, value]) => [name.replaceAll('_', ' '), value]);
      printFields({
        ...Object.fromEntries(fields),
        gateways: gateways.map(gatewayText).join(' ') || null,
        routes: routesText(trunk),
        'calls from': source_networks.join(' ') || null,
        registration: stateText(trunk),
        ...(registration && {
          'registered until': registration.expires_at,
          'next attempt': registration.next_attempt_at,
          'last error': registration.last_error,
        }),
      });
    },
  },
  {
    words: ['trunk', 'add'],
    summary: 'a new trunk',
    usage: 'NAME --host HOST [--register --username NAME --password-file FILE] [--route PREFIX=COST]...',
    details: `  --host HOST             name or address of the peer
  --port PORT             when it is not the usual one
  --transport udp|tcp|tls udp unless given
  --gateway HOST[:PORT]   another host of the same trunk, tried when those before it cannot be reached
  --proxy HOST[:PORT]     outbound proxy: requests go there instead
  --username NAME         for calls that the peer asks a password for, and for --register
  --password-file FILE    holds the password; - reads it from the standard input
  --register              register with the peer, so that its calls come in
  --registrar HOST[:PORT] when it is not HOST
  --contact-user NAME     user part of the Contact we register; the trunk's id unless given
  --from NUMBER           shown to called parties instead of the caller's own number
  --from-user NAME        user part of From, where the peer wants the account there
  --from-domain HOST      domain of From, when it is not HOST
  --caller-id WHERE       from (as given), p-asserted-identity or remote-party-id: where else the number stands
  --privacy WHEN          asked (as given), always or never: when the number is kept from the called party
  --distrust-identity     do not believe what the peer says about its callers
  --number-format FORM    plus (as given), digits, 00 or national: how the peer wants numbers
  --country CODE          ISO 3166-1: whose national numbers the peer speaks of
  --dial-prefix DIGITS    dialled before every number
  --codec NAME            offered first: opus, G722, PCMU, PCMA; repeat it for more, the preferred first
  --srtp off|optional|required   as set for the server unless given; over TLS it is offered
  --tls-no-verify         over TLS: take whatever certificate the peer shows
  --route PREFIX=COST     what it reaches, + for all; the trunk with the lower cost is tried first
  --priority N            of trunks that cost the same the higher one is tried first
  --source NETWORK        its calls come from here (CIDR); without one, from its hosts
${serverOptionsHelp}`,
    async run(args) {
      const { values, positionals } = parseCommandLine(args, addOptions(), ['NAME']);
      const passwordFile = values['password-file'];
      const trunk = await ApiClient.open(values).post<Trunk>('/v1/trunks', {
        name: positionals[0],
        host: required(values.host, 'host'),
        port: numeric(values.port, 'port'),
        transport: oneOf(values.transport, 'transport', ['udp', 'tcp', 'tls']),
        gateways: values.gateway?.map(parseGateway),
        outbound_proxy: values.proxy,
        username: values.username,
        password: passwordFile === undefined ? undefined : readSecretFile(passwordFile),
        register: values.register,
        registrar: values.registrar,
        contact_user: values['contact-user'],
        from_number: values.from,
        from_user: values['from-user'],
        from_domain: values['from-domain'],
        caller_id: values['caller-id'],
        privacy: values.privacy,
        trust_identity: values['distrust-identity'] ? false : undefined,
        number_format: values['number-format'],
        country: values.country,
        dial_prefix: values['dial-prefix'],
        codecs: values.codec,
        srtp: values.srtp,
        tls_verify: values['tls-no-verify'] ? false : undefined,
        priority: numeric(values.priority, 'priority'),
        routes: values.route?.map(parseRoute),
        source_networks: values.source,
      });
      if (values.json) return printJson(trunk);
      printFields({
        'trunk id': trunk.trunk_id,
        name: trunk.name,
        routes: routesText(trunk),
        registration: stateText(trunk),
      });
    },
  },
  {
    words: ['trunk', 'remove'],
    summary: 'a trunk goes; calls that run over it go on',
    usage: 'NAME',
    details: oneTrunkHelp,
    async run(args) {
      const { values, positionals } = parseCommandLine(args, serverOptions, ['NAME']);
      const api = ApiClient.open(values);
      const trunk = await findTrunk(api, positionals[0]!);
      await api.delete(`/v1/trunks/${trunk.trunk_id}`);
      print(`removed ${trunk.name}`);
    },
  },
];

function parseRoute(text: string): { prefix: string; cost: number } {
  const [prefix = '', cost = '0'] = text.split('=');
  return { prefix, cost: numeric(cost, 'route PREFIX=COST') ?? 0 };
}

function parseGateway(text: string): { host: string; port: number | undefined } {
  const match = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(text);
  return {
    host: (match?.[1] ?? text).replace(/^\[(.*)\]$/, '$1'),
    port: numeric(match?.[2], 'gateway HOST:PORT'),
  };
}

function gatewayText({ host, port }: { host: string; port: number | null }): string {
  return port === null ? host : `${host}:${port}`;
}
