/** Something that takes bytes from strangers. */
export interface FuzzTarget {
  /** Lines and tokens are changed as such. */
  readonly isText: boolean;
  readonly maxBytes: number;
  /** Words of its grammar. */
  readonly dictionary: readonly (string | Uint8Array)[];
  /** Inputs to begin with, besides those of its corpus folder. */
  seeds(): readonly Uint8Array[];
  /** Feeds one input. @throws Error where something holds no longer that must always hold */
  run(input: Uint8Array): void | Promise<void>;
  /** Called now and then, between inputs: what lives longer than one. @throws as `run` */
  settle?(): void | Promise<void>;
  close?(): Promise<void>;
}

export interface TargetEntry {
  /** Exports `createTarget`; imported only once the files under test can be counted in. */
  readonly module: string;
  /** What coverage is measured of, and steers by. */
  readonly covers: readonly string[];
}

export const targets: Readonly<Record<string, TargetEntry>> = {
  'sip-message': {
    module: './targets/sip-message.ts',
    covers: [
      'src/sip/parser.ts',
      'src/sip/message.ts',
      'src/sip/scan.ts',
      'src/sip/uri.ts',
      'src/sip/via.ts',
      'src/sip/name-address.ts',
      'src/sip/parameters.ts',
      'src/sip/body.ts',
      'src/sip/serializer.ts',
      'src/sip/caller-identity.ts',
      'src/sip/refer-to.ts',
      'src/sip/replaces.ts',
      'src/sip/session-expires.ts',
      'src/sip/sipfrag.ts',
      'src/sip/capabilities.ts',
      'src/sip/message-outline.ts',
      'src/sip/redact-message.ts',
      'src/call/info-digit.ts',
    ],
  },
  'sip-stream': {
    module: './targets/sip-stream.ts',
    covers: ['src/sip/stream-framer.ts', 'src/sip/parser.ts'],
  },
  digest: {
    module: './targets/digest.ts',
    covers: ['src/sip/digest*.ts', 'src/sip/scan.ts'],
  },
  sdp: {
    module: './targets/sdp.ts',
    covers: ['src/sdp/*.ts'],
  },
  rtp: {
    module: './targets/rtp.ts',
    covers: [
      'src/rtp/packet.ts',
      'src/rtp/telephone-event.ts',
      'src/rtp/reception.ts',
      'src/rtp/sequence.ts',
      'src/timeline/payload-duration.ts',
    ],
  },
  rtcp: {
    module: './targets/rtcp.ts',
    covers: ['src/rtp/rtcp.ts'],
  },
  srtp: {
    module: './targets/srtp.ts',
    covers: ['src/rtp/srtp*.ts', 'src/rtp/create-srtp-transform.ts'],
  },
  codecs: {
    module: './targets/codecs.ts',
    covers: ['src/codec/*.ts'],
  },
  timeline: {
    module: './targets/timeline.ts',
    covers: ['src/timeline/*.ts'],
  },
  'jitter-buffer': {
    module: './targets/jitter-buffer.ts',
    covers: ['src/media/jitter-buffer.ts', 'src/media/playout-delay.ts', 'src/media/loss-concealment.ts'],
  },
  swml: {
    module: './targets/swml.ts',
    covers: [
      'src/dialects/signalwire/expression/*.ts',
      'src/dialects/signalwire/methods/*.ts',
      'src/dialects/signalwire/check.ts',
      'src/dialects/signalwire/document-text.ts',
      'src/dialects/signalwire/json.ts',
      'src/dialects/signalwire/parameters.ts',
      'src/dialects/signalwire/playable.ts',
      'src/dialects/signalwire/script-run.ts',
      'src/dialects/signalwire/step.ts',
      'src/dialects/signalwire/substitution.ts',
      'src/dialects/signalwire/variables.ts',
    ],
  },
  svaml: {
    module: './targets/svaml.ts',
    covers: [
      'src/dialects/sinch/action*.ts',
      'src/dialects/sinch/fields.ts',
      'src/dialects/sinch/instructions.ts',
      'src/dialects/sinch/menu*.ts',
      'src/dialects/sinch/prompt*.ts',
      'src/dialects/sinch/recording-options.ts',
      'src/dialects/sinch/steps.ts',
      'src/dialects/sinch/svaml.ts',
    ],
  },
  destination: {
    module: './targets/destination.ts',
    covers: [
      'src/delivery/destinations/destination-credentials.ts',
      'src/delivery/destinations/destination-url.ts',
      'src/delivery/destinations/object-name.ts',
      'src/delivery/destinations/storage-error.ts',
    ],
  },
  'user-agent': {
    module: './targets/user-agent.ts',
    covers: ['src/sip/*.ts'],
  },
};
