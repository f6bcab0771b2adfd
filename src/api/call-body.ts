import { z } from 'zod';
import type { CallLegRecord, CallRecord, CallSummary } from '../call/call-records.ts';
import { legMediaBody, toLegMedia } from './media-body.ts';

const party = {
  from: z.string(),
  to: z.string(),
  direction: z.enum(['incoming', 'outgoing']),
  status: z.enum(['connecting', 'connected', 'failed', 'finished']),
  start_time: z.string(),
  end_time: z.string().nullable(),
  end_reason: z.string().nullable(),
};
const address = z.object({ address: z.string(), port: z.int() });
const legBody = z.object({
  connection_id: z.string(),
  ...party,
  sip_call_id: z.string().nullable(),
  trunk_id: z.string().nullable(),
  /** In recordings that ended. */
  recorded: z.array(z.object({ recording_id: z.string(), channel_id: z.string() })),
  /** Null where nothing was kept. */
  media: legMediaBody.nullable(),
});
const messageBody = z.object({
  connection_id: z.string(),
  at: z.string(),
  /** Since the first message of the call. */
  at_ms: z.number(),
  direction: z.enum(['received', 'sent']),
  transport: z.string(),
  local: address,
  remote: address,
  /** Of a response, that of the request it answers. */
  method: z.string(),
  status: z.int().nullable(),
  reason: z.string().nullable(),
  cseq: z.int(),
  retransmission: z.boolean(),
  /** Without secrets. */
  text: z.string(),
  /** Characters that are missing at the end. */
  left_off: z.int(),
});

export const callSummaryBody = z.object({ call_id: z.string(), ...party, leg_count: z.int() });
export const callBody = z.object({
  call_id: z.string(),
  ...party,
  legs: z.array(legBody),
  messages: z.array(messageBody),
  messages_dropped: z.int(),
});

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
  return { call_id: first.connectionId, ...toParty({ connection: first }), leg_count: legs };
}

export function toCall({ callId, legs, messages, dropped }: CallRecord): z.output<typeof callBody> {
  // The INVITE that came in is older than its connection.
  const startUnixUs = messages[0]?.atUnixUs ?? 0;
  return {
    call_id: callId,
    ...toParty(legs[0]!),
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
