import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type CallReport, type LegReport, partyOf } from './call-report.ts';
import { type Command, parseCommandLine } from './command.ts';
import { saveBody } from './download.ts';
import { drawLadder } from './ladder.ts';
import { listCommand } from './list-command.ts';
import { print, printable, printFields, printJson, printTable } from './output.ts';

interface Call {
  call_id: string;
  from: string;
  to: string;
  direction: string;
  status: string;
  start_time: string;
  end_time: string | null;
  end_reason: string | null;
  leg_count: number;
}

function seconds({ start_time, end_time }: Pick<Call, 'start_time' | 'end_time'>): string | null {
  return end_time === null ? null : ((Date.parse(end_time) - Date.parse(start_time)) / 1000).toFixed(1);
}

export const callsCommands: Command[] = [
  listCommand<Call>({
    words: ['calls', 'list'],
    summary: 'calls, the latest first',
    usage: '[--from WHO] [--to WHO]',
    path: '/v1/calls',
    options: [
      { name: 'from', value: 'WHO', help: 'only of this caller' },
      { name: 'to', value: 'WHO', help: 'only to this number or address' },
    ],
    columns: {
      'CALL ID': (call) => call.call_id,
      STARTED: (call) => call.start_time,
      SECONDS: seconds,
      DIRECTION: (call) => call.direction,
      FROM: (call) => call.from,
      TO: (call) => call.to,
      LEGS: (call) => call.leg_count,
      STATUS: (call) => call.status,
      REASON: (call) => call.end_reason,
    },
  }),
  {
    words: ['calls', 'show'],
    summary: 'one call: its legs, its media, its SIP messages',
    usage: 'CALL_ID [--ladder [--sdp]] [--messages] [--pcap FILE]',
    details: `  CALL_ID          or the connection id of any of its legs
  --ladder         the messages as a ladder, one column for each party
  --sdp            with the streams of every session description
  --messages       the messages themselves, without secrets
  --pcap FILE      a capture file for Wireshark: the messages, and the packets that recordings hold
${serverOptionsHelp}`,
    async run(args) {
      const { values, positionals } = parseCommandLine(
        args,
        {
          ...serverOptions,
          ladder: { type: 'boolean', default: false },
          sdp: { type: 'boolean', default: false },
          messages: { type: 'boolean', default: false },
          pcap: { type: 'string' },
        },
        ['CALL_ID'],
      );
      const api = ApiClient.open(values);
      const path = `/v1/calls/${encodeURIComponent(positionals[0]!)}`;
      if (values.pcap !== undefined) {
        const bytes = await saveBody(await api.fetch(`${path}/pcap`), values.pcap);
        if (values.json) return printJson({ file: values.pcap, bytes });
        return print(`${values.pcap}: ${bytes} bytes`);
      }
      const call = await api.get<CallReport>(path);
      if (values.json) return printJson(call);
      if (values.ladder || values.sdp) for (const line of drawLadder(call, values)) print(line);
      else printCall(call);
      if (values.messages) printMessages(call);
      printLegs(call);
    },
  },
];

function printCall(call: CallReport): void {
  printFields({
    'call id': call.call_id,
    from: call.from,
    to: call.to,
    direction: call.direction,
    status: call.status,
    reason: call.end_reason,
    started: call.start_time,
    seconds: seconds(call),
    messages: call.messages.length + call.messages_dropped,
  });
}

function printMessages({ messages }: CallReport): void {
  for (const message of messages) {
    const { direction, remote, transport, at, text, left_off } = message;
    const way = direction === 'received' ? 'from' : 'to';
    print(`\n--- ${at} ${direction} ${way} ${printable(remote.address)}:${remote.port} by ${transport}`);
    for (const line of text.trimEnd().split(/\r?\n/)) print(printable(line));
    if (left_off > 0) print(`--- ${left_off} characters left out`);
  }
}

function printLegs({ legs, messages_dropped }: CallReport): void {
  if (messages_dropped > 0) print(`\n${messages_dropped} messages were not kept.`);
  print('');
  printTable(
    ['CONNECTION ID', 'PARTY', 'DIRECTION', 'STATUS', 'REASON', 'MEDIA'],
    legs.map((leg) => [
      leg.connection_id,
      shortened(partyOf(leg)),
      leg.direction,
      leg.status,
      leg.end_reason,
      noteOf(leg),
    ]),
  );
  print('');
  printTable(
    ['PARTY', 'CODECS', 'PACKETS', 'LOST', 'LATE', 'DUP', 'JITTER MS', 'RTT MS', 'STREAMS', 'SENT', 'SRTP'],
    legs.map(mediaRow),
  );
}

const maxParty = 32;

function shortened(party: string): string {
  return party.length > maxParty ? `${party.slice(0, maxParty - 1)}~` : party;
}

/** A later codec with the second of the leg that it began at. */
function mediaRow(leg: LegReport): unknown[] {
  const { media } = leg;
  const received = media?.report?.received;
  const heard = received?.codecs.map(({ codec, at_ms }, index) =>
    index === 0 ? codec : `${codec}@${(at_ms / 1000).toFixed(1)}`,
  );
  return [
    shortened(partyOf(leg)),
    heard && heard.length > 0 ? heard.join(' ') : media?.agreed.at(-1)?.codec,
    received?.packets,
    received?.lost,
    received?.late,
    received?.duplicates,
    received?.jitter_ms.most,
    media?.report?.round_trip_ms?.least,
    received && received.packets > 0 ? received.ssrc_changes + 1 : null,
    media?.report?.sent.packets,
    srtpNote(media),
  ];
}

/** With what did not open, where there was any. */
function srtpNote(media: LegReport['media']): string {
  const dropped = media?.report?.received.srtp;
  const unopened = dropped ? dropped.authentication_failures + dropped.replays + dropped.malformed : 0;
  const inUse = media?.srtp ? 'yes' : 'no';
  return unopened > 0 ? `${inUse}, ${unopened} unopened` : inUse;
}

function noteOf({ media, status }: LegReport): string {
  if (!media?.report) return status === 'connecting' || status === 'connected' ? 'goes on' : 'no figures';
  if (media.one_way === 'received') return 'one way: nothing was sent';
  if (media.one_way === 'sent') return 'one way: nothing came';
  return media.no_media ? 'none' : 'both ways';
}
