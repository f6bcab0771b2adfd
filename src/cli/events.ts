import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, parseCommandLine } from './command.ts';
import { listCommand } from './list-command.ts';
import { print, printJson } from './output.ts';

interface Event {
  event_id: string;
  conversation_id: string;
  type: string;
  callback_url: string;
  state: string;
  attempts: number;
  last_error: string | null;
  created_at: string;
}

export const eventCommands: Command[] = [
  listCommand<Event>({
    words: ['events', 'list'],
    summary: 'events for the applications, the latest first',
    usage: '[--state pending|delivered|dead] [--conversation ID]',
    path: '/v1/events',
    options: [
      {
        ...{ name: 'state', value: 'STATE', choices: ['pending', 'delivered', 'dead'] },
        help: 'pending (on its way), delivered, or dead (given up after 72 hours)',
      },
      { name: 'conversation', value: 'ID', query: 'conversation_id', help: 'only of this conversation' },
    ],
    columns: {
      'EVENT ID': (row) => row.event_id,
      CREATED: (row) => row.created_at,
      TYPE: (row) => row.type,
      'CONVERSATION ID': (row) => row.conversation_id,
      STATE: (row) => row.state,
      ATTEMPTS: (row) => row.attempts,
      URL: (row) => row.callback_url,
      'LAST ERROR': (row) => row.last_error,
    },
  }),
  {
    words: ['events', 'replay'],
    summary: 'send an event once more, under its old id',
    usage: 'EVENT_ID',
    details: serverOptionsHelp,
    async run(args) {
      const { values, positionals } = parseCommandLine(args, serverOptions, ['EVENT_ID']);
      const path = `/v1/events/${encodeURIComponent(positionals[0]!)}/replay`;
      const event = await ApiClient.open(values).post<Event>(path);
      if (values.json) return printJson(event);
      print(`${event.event_id} is on its way to ${event.callback_url}`);
    },
  },
];
