/** A call as `GET /v1/calls/{id}` gives it. */
export interface CallReport {
  call_id: string;
  from: string;
  to: string;
  direction: string;
  status: string;
  start_time: string;
  end_time: string | null;
  end_reason: string | null;
  legs: LegReport[];
  messages: MessageReport[];
  messages_dropped: number;
}

export interface LegReport {
  connection_id: string;
  from: string;
  to: string;
  direction: string;
  status: string;
  start_time: string;
  end_reason: string | null;
  recorded: { recording_id: string; channel_id: string }[];
  media: LegMediaReport | null;
}

export interface LegMediaReport {
  no_media: boolean | null;
  one_way: 'received' | 'sent' | null;
  srtp: string | null;
  seen: { address: string; port: number; at_ms: number } | null;
  agreed: { codec: string }[];
  report: {
    received: {
      packets: number;
      lost: number;
      late: number;
      duplicates: number;
      ssrc_changes: number;
      jitter_ms: { most: number };
      srtp: { authentication_failures: number; replays: number; malformed: number } | null;
      codecs: { codec: string; at_ms: number }[];
    };
    sent: { packets: number };
    round_trip_ms: { least: number; latest: number } | null;
  } | null;
}

export interface MessageReport {
  connection_id: string;
  at: string;
  at_ms: number;
  direction: 'received' | 'sent';
  transport: string;
  local: { address: string; port: number };
  remote: { address: string; port: number };
  method: string;
  status: number | null;
  reason: string | null;
  retransmission: boolean;
  text: string;
  left_off: number;
}

/** The party at the far end of a leg. */
export function partyOf({ direction, from, to }: Pick<LegReport, 'direction' | 'from' | 'to'>): string {
  return direction === 'incoming' ? from : to;
}
