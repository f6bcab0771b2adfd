/** What `/v1/calls/{id}` and `/v1/recordings/{id}` answer, as far as tests look at it. */

export interface MessageBody {
  transport: string;
  method: string;
  status: number | null;
  direction: string;
  retransmission: boolean;
  text: string;
}

export interface LegBody {
  connection_id: string;
  to: string;
  direction: string;
  recorded: { recording_id: string; channel_id: string }[];
  media: {
    no_media: boolean | null;
    one_way: string | null;
    srtp: string | null;
    seen: { address: string; port: number } | null;
    agreed: { codec: string; direction: string }[];
    report: { received: { packets: number; lost: number; codecs: { codec: string }[] } } | null;
  } | null;
}

export interface CallBody {
  call_id: string;
  end_time: string | null;
  end_reason: string | null;
  legs: LegBody[];
  messages: MessageBody[];
}

export interface RecordingBody {
  channels: {
    from: string;
    media: {
      received: {
        packets: number;
        lost: number;
        jitter_ms: { most: number };
        codecs: { codec: string; at_ms: number; at_sample: number }[];
      };
    };
  }[];
}
