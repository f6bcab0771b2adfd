import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { type Document, LineCounter, parseDocument, stringify } from 'yaml';
import type { z } from 'zod';
import { listSettings, variableName } from './config-environment.ts';
import { type ConfigInput, configSchema } from './config-schema.ts';
import { CallreelError } from './errors.ts';

/** Everything resolved: absolute data directory, callback networks decided. */
export type Config = ConfigInput & { callbacks: { allow: string[] }; rtp: { host: string } };

type Tree = Record<string, unknown>;

interface ConfigFile {
  name: string;
  tree: Tree;
  /** Line of the deepest part of `path` the file has. */
  lineOf: (path: readonly PropertyKey[]) => number | undefined;
}

const defaultFile = 'callreel.yaml';
const fileVariable = 'CALLREEL_CONFIG';
/** Names that other programs know these settings by. */
const customaryVariables: Readonly<Record<string, readonly string[]>> = {
  DATABASE_URL: ['database', 'url'],
  TTS_URL: ['speech', 'url'],
  TTS_CMD: ['speech', 'command'],
  STT_URL: ['transcription', 'url'],
  STT_MODEL_DIR: ['transcription', 'modelDir'],
};

/**
 * Defaults, then the YAML file (`CALLREEL_CONFIG` or `./callreel.yaml`), then the environment; the later wins.
 * @throws CallreelError CONFIG_UNREADABLE, or CONFIG_INVALID that names every wrong setting with its line or variable
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env, workingDir = process.cwd()): Config {
  const file = readFile(environment[fileVariable], workingDir);
  const tree = structuredClone(file.tree);
  const fromEnvironment = applyEnvironment(tree, environment);
  const parsed = configSchema.safeParse(tree, { reportInput: true });
  if (!parsed.success) throw invalid(parsed.error, file, fromEnvironment);
  const config = parsed.data;
  const allow = config.callbacks.allow ?? (isLoopback(config.http.host) ? ['127.0.0.0/8', '::1/128'] : []);
  return {
    ...config,
    sip: { ...config.sip, tls: resolveFiles(config.sip.tls, workingDir) },
    rtp: {
      ...config.rtp,
      host: config.rtp.host ?? mediaHost(config.sip),
      advertisedHost: config.rtp.advertisedHost ?? addressOrNothing(config.sip.advertisedHost),
    },
    dataDir: resolve(workingDir, config.dataDir),
    delivery: {
      ...config.delivery,
      fileDirectories: config.delivery.fileDirectories.map((directory) => resolve(workingDir, directory)),
    },
    callbacks: { ...config.callbacks, allow },
  };
}

/** Media comes to the address that signalling comes to; of several, to all of them. */
function mediaHost({ host, interfaces = [] }: ConfigInput['sip']): string {
  const hosts = interfaces.length > 0 ? interfaces.map((entry) => entry.host) : [host];
  const [first = host] = hosts;
  if (hosts.length > 1) return hosts.some((one) => one.includes(':')) ? '::' : '0.0.0.0';
  return addressOrNothing(first) ?? '127.0.0.1';
}

function addressOrNothing(host: string | undefined): string | undefined {
  return host !== undefined && ipaddr.isValid(host) ? host : undefined;
}

function resolveFiles(tls: ConfigInput['sip']['tls'], workingDir: string): ConfigInput['sip']['tls'] {
  const absolute = (file: string | undefined) => (file === undefined ? undefined : resolve(workingDir, file));
  const { certFile, keyFile, caFile } = tls;
  return { ...tls, certFile: absolute(certFile), keyFile: absolute(keyFile), caFile: absolute(caFile) };
}

/** As YAML that can be a configuration file, once every secret in it is filled in: they are hidden. */
export function printConfig(config: Config): string {
  const { first, last } = config.rtp.ports;
  const asWritten = { ...config, rtp: { ...config.rtp, ports: `${first}-${last}` } };
  return stringify(JSON.parse(JSON.stringify(asWritten)));
}

function readFile(named: string | undefined, workingDir: string): ConfigFile {
  const name = named ?? defaultFile;
  const path = resolve(workingDir, name);
  if (named === undefined && !existsSync(path)) return { name, tree: {}, lineOf: () => undefined };
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CallreelError('CONFIG_UNREADABLE', `${path} cannot be read`, { where: path, cause });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const problem = document.errors[0];
  if (problem) {
    const where = `${name}:${lines.linePos(problem.pos[0]).line}`;
    throw new CallreelError('CONFIG_UNREADABLE', `${where}: ${problem.message.split('\n')[0]}`, { where });
  }
  const tree: unknown = document.toJS() ?? {};
  if (typeof tree !== 'object' || Array.isArray(tree))
    throw new CallreelError('CONFIG_INVALID', `${name}:1: expected settings as "name: value"`, {
      where: `${name}:1`,
    });
  return { name, tree: tree as Tree, lineOf: (at) => lineOf(document, lines, at) };
}

function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length) as unknown[], true) as { range?: [number] } | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

/** @returns the path of every setting taken, with its variable */
function applyEnvironment(tree: Tree, environment: NodeJS.ProcessEnv): Map<string, string> {
  const settings = new Map(listSettings(configSchema).map((setting) => [setting.variable, setting]));
  const taken = new Map<string, string>();
  const unknown: string[] = [];
  const given = Object.entries(environment)
    .filter(([name, value]) => value !== undefined && value !== '' && name !== fileVariable)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [variable, text = ''] of given) {
    const customary = customaryVariables[variable];
    const setting = settings.get(customary ? variableName(customary) : variable);
    if (setting) {
      setIn(tree, setting.path, setting.parse(text));
      taken.set(setting.path.join('.'), variable);
    } else if (variable.startsWith('CALLREEL_')) unknown.push(variable);
  }
  if (unknown.length === 0) return taken;
  throw new CallreelError('CONFIG_INVALID', unknown.map((name) => `${name}: unknown setting`).join('\n'), {
    where: unknown[0] ?? '',
  });
}

function setIn(tree: Tree, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const key of path.slice(0, -1)) {
    const next = at[key];
    at = (typeof next === 'object' && next !== null ? next : (at[key] = {})) as Tree;
  }
  at[path.at(-1) ?? ''] = value;
}

function invalid(error: z.ZodError, file: ConfigFile, fromEnvironment: Map<string, string>): CallreelError {
  const problems = error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: [...issue.path, key], text: 'unknown setting' }));
    return [{ path: issue.path, text: describe(issue) }];
  });
  const lines = problems.map(({ path, text }) => {
    const name = path.map(String).join('.');
    const variable = [...fromEnvironment].find(([setting]) => `${name}.`.startsWith(`${setting}.`))?.[1];
    if (variable) return `${variable}: ${text}`;
    const line = file.lineOf(path);
    return `${file.name}${line === undefined ? '' : `:${line}`}: ${name}: ${text}`;
  });
  return new CallreelError('CONFIG_INVALID', lines.join('\n'), { where: lines[0]?.split(': ')[0] ?? '' });
}

/** Says what was expected and never shows the value: it may be a secret. */
function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.expected === 'string' && typeof issue.input === 'number')
    return 'expected a text; put it in quotes';
  const text = issue.message.replace(/^Invalid (input|option): /, '').replace(/, received .*$/, '');
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}
