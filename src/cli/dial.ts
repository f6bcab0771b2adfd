import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, parseCommandLine } from './command.ts';
import { print, printJson, printTable } from './output.ts';

interface Permission {
  prefix: string;
  allow: boolean;
}

const prefixHelp = `  PREFIX           + and the first digits of numbers (+ alone: all), or sip:HOST (sip: alone: every host);
                   the longest that fits decides
${serverOptionsHelp}`;

function setting(word: 'allow' | 'deny', summary: string): Command {
  return {
    words: ['dial', word],
    summary,
    usage: 'PREFIX',
    details: prefixHelp,
    async run(args) {
      const { values, positionals } = parseCommandLine(args, serverOptions, ['PREFIX']);
      const body = { prefix: positionals[0], allow: word === 'allow' };
      const saved = await ApiClient.open(values).post<Permission>('/v1/dial-permissions', body);
      if (values.json) return printJson(saved);
      print(`${saved.prefix}: ${saved.allow ? 'allowed' : 'denied'}`);
    },
  };
}

export const dialCommands: Command[] = [
  {
    words: ['dial', 'list'],
    summary: 'what may be dialled; nothing may until something is allowed',
    usage: '',
    details: serverOptionsHelp,
    async run(args) {
      const { values } = parseCommandLine(args, serverOptions);
      const { results } = await ApiClient.open(values).get<{ results: Permission[] }>('/v1/dial-permissions');
      if (values.json) return printJson(results);
      printTable(
        ['PREFIX', 'MAY BE DIALLED'],
        results.map(({ prefix, allow }) => [prefix, allow ? 'yes' : 'no']),
      );
    },
  },
  setting('allow', 'numbers or SIP hosts may be dialled'),
  setting('deny', 'some of what is allowed may not be dialled'),
  {
    words: ['dial', 'forget'],
    summary: 'a rule about a prefix goes',
    usage: 'PREFIX',
    details: prefixHelp,
    async run(args) {
      const { values, positionals } = parseCommandLine(args, serverOptions, ['PREFIX']);
      await ApiClient.open(values).delete(`/v1/dial-permissions/${encodeURIComponent(positionals[0]!)}`);
      print(`forgot ${positionals[0]}`);
    },
  },
  {
    words: ['dial', 'check'],
    summary: 'whether and by which trunks a number would be called',
    usage: 'NUMBER',
    details: serverOptionsHelp,
    async run(args) {
      const { values, positionals } = parseCommandLine(args, serverOptions, ['NUMBER']);
      const path = `/v1/dial-route?to=${encodeURIComponent(positionals[0]!)}`;
      const route = await ApiClient.open(values).get<{ target: string; trunks: string[] }>(path);
      if (values.json) return printJson(route);
      print(`${route.target}: ${route.trunks.join(', then ') || 'called directly'}`);
    },
  },
];
