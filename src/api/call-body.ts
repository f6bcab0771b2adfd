import { z } from 'zod';
import type { CallLegRecord, CallRecord, CallSummary } from '../call/call-records.ts';
import { clientState } from './client-state.ts';
import {
  callDirection,
  callStatus,
  choice,
  endpoint,
  flag,
  identifier,
  integer,
  moment,
  number,
  text,
} from './fields.ts';
import { legMediaBody, toLegMedia } from './media-body.ts';

const party = {
  from: text('Who called: a number in E.164, or a SIP URI.', '+15558881188'),
  to: text('Who was called.', '+15557772277'),
  direction: callDirection(),
  status: callStatus(),
  start_time: moment('When its INVITE came or went out.'),
  end_time: moment('When it ended; null while it goes on.', '2026-09-14T08:31:01.240Z').nullable(),
  end_reason: text('Why it ended; null while it goes on.', 'hung-up').nullable(),
};
const callId = identifier('The call: the connection it began with.');
const legBody = z.object({
  connection_id: identifier('The leg.'),
  ...party,
  sip_call_id: text(
    'Call-ID of its SIP messages; null where there was none.',
    'a84b4c76e66710@192.0.2.7',
  ).nullable(),
  trunk_id: identifier('The trunk it came in or went out by; null for none.').nullable(),
  recorded: z
    .array(
      z.object({
        recording_id: identifier('The recording.'),
        channel_id: identifier('Its channel of this stay.'),
      }),
    )
    .meta({ description: 'Its stays in recordings that ended.' }),
  media: legMediaBody
    .nullable()
    .meta({ description: 'What became of its media; null where nothing was kept.' }),
});
const messageBody = z.object({
  connection_id: identifier('The leg it belongs to.'),
  at: moment('When it passed the socket.'),
  at_ms: number('The same in ms since the first message of the call.', 12.345),
  direction: choice(['received', 'sent'], 'Seen from here.'),
  transport: text('udp, tcp or tls.', 'udp'),
  local: endpoint.meta({ description: 'Our end.' }),
  remote: endpoint.meta({ description: 'The other end.' }),
  method: text('Method; of a response that of the request it answers.', 'INVITE'),
  status: integer('Status of a response; null of a request.', 200).nullable(),
  reason: text('Reason phrase of a response; null of a request.', 'OK').nullable(),
  cseq: integer('Number in CSeq.', 1),
  retransmission: flag('The same message passed before.', false),
  text: text('The message without its secrets.', 'INVITE sip:1000@192.0.2.1 SIP/2.0\r\n…'),
  left_off: integer('Characters that are missing at the end of the text.', 0),
});

export const callSummaryBody = z.object({
  call_id: callId,
  ...party,
  leg_count: integer('How many legs belong to it.', 2),
  client_state: clientState,
});
export const callBody = z
  .object({
    call_id: callId,
    ...party,
    client_state: clientState,
    legs: z.array(legBody).meta({ description: 'The one it began with comes first.' }),
    messages: z
      .array(messageBody)
      .meta({ description: 'The SIP messages of all legs, in the order of time.' }),
    messages_dropped: integer('How many messages were not kept.', 0),
  })
  .meta({ description: 'The call with everything that is kept of it.' });

function toParty({ connection }: Pick<CallLegRecord, 'connection'>) {
  return {
    from: connection.from,
    to: connection.to,
    direction: connection.direction,
    status: connection.status,
    start_time: connection.startTime.toISOString(),
    end_time: connection.endTime?.toISOString() ?? null,
    end_reason: connection.endReason,
  };
}

function toLeg({ connection, stays, media }: CallLegRecord): z.output<typeof legBody> {
  return {
    connection_id: connection.connectionId,
    ...toParty({ connection }),
    sip_call_id: connection.sipCallId,
    trunk_id: connection.trunkId,
    recorded: stays.map(({ recordingId, channelId }) => ({
      recording_id: recordingId,
      channel_id: channelId,
    })),
    media: media && toLegMedia(media),
  };
}

export function toCallSummary({ first, legs }: CallSummary): z.output<typeof callSummaryBody> {
  return {
    call_id: first.connectionId,
    ...toParty({ connection: first }),
    leg_count: legs,
    client_state: first.clientState,
  };
}

export function toCall({ callId, legs, messages, dropped }: CallRecord): z.output<typeof callBody> {
  // The INVITE that came in is older than its connection.
  const startUnixUs = messages[0]?.atUnixUs ?? 0;
  return {
    call_id: callId,
    ...toParty(legs[0]!),
    client_state: legs[0]!.connection.clientState,
    legs: legs.map(toLeg),
    messages: messages.map((message) => ({
      connection_id: message.connectionId,
      at: new Date(message.atUnixUs / 1000).toISOString(),
      at_ms: Math.round(message.atUnixUs - startUnixUs) / 1000,
      direction: message.direction,
      transport: message.transport,
      local: message.local,
      remote: message.remote,
      method: message.method,
      status: message.status ?? null,
      reason: message.reason ?? null,
      cseq: message.sequence,
      retransmission: message.retransmission,
      text: message.text,
      left_off: message.leftOff,
    })),
    messages_dropped: dropped,
  };
}
