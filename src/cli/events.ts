import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, numeric, oneOf, parseCommandLine } from './command.ts';
import { print, printJson, printTable } from './output.ts';

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

const defaultLimit = 50;

export const eventCommands: Command[] = [
  {
    words: ['events', 'list'],
    summary: 'events for the applications, the latest first',
    usage: '[--state pending|delivered|dead] [--conversation ID] [--limit N]',
    details: `  --state STATE       pending (on its way), delivered, or dead (given up after 72 hours)
  --conversation ID   only of this conversation
  --limit N           ${defaultLimit} unless given
${serverOptionsHelp}`,
    async run(args) {
      const { values } = parseCommandLine(args, {
        ...serverOptions,
        state: { type: 'string' },
        conversation: { type: 'string' },
        limit: { type: 'string' },
      });
      const query = {
        state: oneOf(values.state, 'state', ['pending', 'delivered', 'dead']),
        conversation_id: values.conversation,
      };
      const limit = numeric(values.limit, 'limit') ?? defaultLimit;
      const events = await ApiClient.open(values).list<Event>('/v1/events', query, limit);
      if (values.json) return printJson(events);
      printTable(
        ['EVENT ID', 'CREATED', 'TYPE', 'CONVERSATION ID', 'STATE', 'ATTEMPTS', 'URL', 'LAST ERROR'],
        events.map((event) => [
          event.event_id,
          event.created_at,
          event.type,
          event.conversation_id,
          event.state,
          event.attempts,
          event.callback_url,
          event.last_error,
        ]),
      );
    },
  },
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
