import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { logLevels } from './logger.ts';
import { redacted, Secret } from './secret.ts';

/**
 * Every setting, once. The environment's names follow from the paths: `callbacks.timeoutMs` is
 * `CALLREEL_CALLBACKS_TIMEOUT_MS`; lists are separated by commas, lists of objects are JSON.
 */
const port = z.int().min(0).max(65535);
const secret = z
  .string()
  .min(1)
  .refine((value) => value !== redacted, 'expected the secret itself; it was hidden where this was printed')
  .transform((value) => new Secret(value));
const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });
const network = z
  .string()
  .refine(
    (text) => ipaddr.isValidCIDR(text) && isIP(text.replace(/\/.*$/, '')) !== 0,
    'expected a network in CIDR notation, as 10.0.0.0/8',
  );

const commandLine = z.union(
  [
    z
      .string()
      .trim()
      .min(1)
      .transform((text) => text.split(/\s+/)),
    z.array(z.string().min(1)).min(1),
  ],
  'expected a program and its arguments',
);

const ipAddress = z.union([z.ipv4(), z.ipv6()], 'expected an IP address');

const transports = z.array(z.enum(['udp', 'tcp', 'tls'])).min(1);

/** An address, or `address:port` (IPv6 in brackets). */
const dnsServer = z
  .string()
  .refine(
    (text) => isIP(text.replace(/^\[(.*)\](:\d{1,5})?$|^([^:]+):\d{1,5}$/, '$1$3')) !== 0,
    'expected an address of a DNS server, with a port where it is not 53',
  );

const transcriptionSettings = z
  .strictObject({
    /** A server with OpenAI's interface (POST /v1/audio/transcriptions). Also read from STT_URL. */
    url: httpUrl.optional(),
    /** Sent to it as a bearer token. */
    key: secret.optional(),
    model: z.string().min(1).default('whisper-1'),
    /** The directory of a model that sherpa-onnx loads. Also read from STT_MODEL_DIR. */
    modelDir: z.string().min(1).optional(),
    /** What the server or the model knows, ISO 639-1, where its name does not tell. */
    languages: z
      .array(z.string().regex(/^[a-z]{2,3}$/, 'expected ISO 639-1, as en'))
      .min(1)
      .optional(),
    /** For one request to the server, and for one piece of at most 20 s. */
    timeoutMs: z.int().min(1000).max(3_600_000).default(600_000),
    /** Of an engine's process. */
    memoryLimitMb: z.int().min(256).default(1536),
    /** Recordings that are transcribed at once, each by an engine's process of its own. */
    concurrency: z.int().min(1).max(32).default(1),
  })
  .refine(({ url, modelDir }) => url === undefined || modelDir === undefined, {
    path: ['modelDir'],
    error: 'expected url or modelDir, not both',
  })
  .prefault({});

const tags = z.record(z.string().min(1).max(128), z.string().max(256));

const portRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/, 'expected first-last, as 20000-29999')
  .transform((text) => {
    const [first = 0, last = 0] = text.split('-').map(Number);
    return { first, last };
  })
  .refine(({ first, last }) => last === 0 || (first >= 1024 && first < last && last <= 65535), {
    error: 'expected first-last with 1024 <= first < last <= 65535, or 0-0 for ports the system picks',
  });

export const configSchema = z.strictObject({
  /** Spool, keys and the embedded database. */
  dataDir: z.string().min(1).default('.callreel'),
  /** Made at the first start when not set. */
  accountId: z
    .string()
    .regex(/^[^:\s]+$/, 'expected a text without colon and space')
    .optional(),
  /** Made at the first start when not set. */
  authToken: secret.optional(),
  /**
   * Media worker processes. Every party of a conference must be on one; with several, a call that met a prompt first
   * may be on another than its conference, and is refused there.
   */
  workers: z.int().min(1).max(256).default(1),
  /** How long a stopping server lets its calls go on. */
  drainSeconds: z.number().min(0).default(30),
  log: z.strictObject({ level: z.enum(logLevels).default('info') }).prefault({}),
  sip: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: port.default(5060),
      /** When not set: 5061, or a free one where `port` is 0. */
      tlsPort: port.optional(),
      transports: transports.default(['udp', 'tcp']),
      /** What peers are told to send to, when it is not `host` (behind NAT). */
      advertisedHost: z.string().min(1).optional(),
      /** Peers in these networks are told our own address all the same. When not set: networks this machine is in. */
      localNetworks: z.array(network).optional(),
      /** Several addresses instead of `host`; what an entry leaves out is as above. */
      interfaces: z
        .array(
          z.strictObject({
            host: ipAddress,
            port: port.optional(),
            tlsPort: port.optional(),
            transports: transports.optional(),
            advertisedHost: z.string().min(1).optional(),
          }),
        )
        .min(1)
        .optional(),
      tls: z
        .strictObject({
          /** PEM, with its chain; read again when it changes. Without it, one is made and signed by itself. */
          certFile: z.string().min(1).optional(),
          keyFile: z.string().min(1).optional(),
          /** Who may vouch for the servers we call, PEM; the public authorities when not set. */
          caFile: z.string().min(1).optional(),
          /** Servers that we call must show a certificate that is valid for their name. */
          verify: z.boolean().default(true),
        })
        .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
          path: ['keyFile'],
          error: 'expected certFile and keyFile together',
        })
        .prefault({}),
      /** Asked for the hosts of SIP URIs; the system's when not set. */
      dnsServers: z.array(dnsServer).min(1).optional(),
      /** For each source address; ten times as much for trunks, for loopback and private networks and for `trusted`. */
      limits: z
        .strictObject({
          /** Outside of calls: INVITE, REGISTER, OPTIONS. */
          requestsPerSecond: z.int().min(1).default(300),
          unansweredInvites: z.int().min(1).default(1000),
          connections: z.int().min(1).default(100),
          trusted: z.array(network).default([]),
        })
        .prefault({}),
      /** So often both sides of a call are asked whether they are still there (RFC 4028); the peer may want it shorter. */
      sessionExpiresSeconds: z.int().min(90).max(86_400).default(1800),
      realm: z.string().min(1).default('callreel'),
      /** Whose national numbers are meant where nothing says so: ISO 3166-1, as GB. Without it numbers need + or 00. */
      country: z
        .string()
        .regex(/^[A-Za-z]{2}$/, 'expected two letters of ISO 3166-1')
        .optional(),
      /** Asked of registering phones, the preferred one first; many know only MD5 and give up on anything else. */
      digestAlgorithms: z
        .array(z.enum(['MD5', 'SHA-256']))
        .min(1)
        .default(['MD5']),
      /** Networks that may call in, besides the trunks'; anyone may when not set. */
      allowCallsFrom: z.array(network).optional(),
      /** Who may register; with none, nobody can. */
      users: z.array(z.strictObject({ username: z.string().min(1), password: secret })).default([]),
    })
    .prefault({}),
  http: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: port.default(8080),
      /** Base of the links given out, when it is not host and port. */
      publicUrl: httpUrl.optional(),
    })
    .prefault({}),
  rtp: z
    .strictObject({
      /** When not set: `sip.host`, where that is an address. */
      host: ipAddress.optional(),
      /** What peers are told to send to, when it is not `host` (behind NAT). */
      advertisedHost: ipAddress.optional(),
      ports: portRange.prefault('20000-29999'),
      /** How packets are taken and sent: `auto` is `ffi` where that works. */
      driver: z.enum(['auto', 'ffi', 'dgram']).default('auto'),
      /** Whether what steady peers send comes to one socket, where the kernel lets us (`ffi` alone). */
      steering: z.enum(['auto', 'off']).default('off'),
      /** What calls may be of, the preferred first. */
      codecs: z
        .array(z.enum(['opus', 'G722', 'PCMU', 'PCMA']))
        .min(1)
        .default(['opus', 'G722', 'PCMU', 'PCMA']),
      /** Who decides which of the common codecs a caller is answered with: its own order, or that of `codecs`. */
      codecOrder: z.enum(['offer', 'ours']).default('offer'),
      /**
       * SRTP keyed by SDES: `optional` takes it from those who offer it and offers it over TLS, `required` refuses
       * plain RTP.
       */
      srtp: z.enum(['off', 'optional', 'required']).default('optional'),
      /**
       * A call that should send media and sends none for so long is asked for a sign of life, and ends without one.
       * 0: never.
       */
      inactivityTimeoutMs: z
        .int()
        .min(0)
        .max(86_400_000)
        .refine((value) => value === 0 || value >= 100, 'expected 0, or at least 100')
        .default(300_000),
    })
    .prefault({}),
  callbacks: z
    .strictObject({
      timeoutMs: z.int().min(100).max(120_000).default(10_000),
      /** Of an answer. */
      maxBytes: z.int().min(1024).default(1_000_000),
      /**
       * Private networks that user-given URLs may lead to. When not set: the loopback networks if `http.host` is a
       * loopback address (a server for its own machine only), otherwise none.
       */
      allow: z.array(network).optional(),
    })
    .prefault({}),
  /** Files that routines play by URL. */
  playback: z
    .strictObject({
      maxBytes: z.int().min(1024).default(50_000_000),
      /** Of all that are being downloaded or decoded: beyond it the largest is given up. At least `maxBytes`. */
      maxTotalBytes: z.int().min(1024).default(256_000_000),
      /** For the download. */
      timeoutMs: z.int().min(100).max(120_000).default(30_000),
    })
    .prefault({}),
  /** Signs our events; made at the first start when not set. */
  webhooks: z
    .strictObject({
      secret: z
        .string()
        .regex(/^whsec_[A-Za-z0-9+/=]{24,}$/, 'expected whsec_ and base64')
        .transform((value) => new Secret(value))
        .optional(),
    })
    .prefault({}),
  /** The SignalWire dialect. */
  signalwire: z
    .strictObject({
      /** Signs the requests for documents and the events; made at the first start when not set. */
      signingKey: secret.optional(),
      /** Told what documents tell nobody else: `user_event`, warnings, a `connect` that failed. */
      statusUrl: httpUrl.optional(),
    })
    .prefault({}),
  /** The Sinch dialect. */
  sinch: z
    .strictObject({
      /** Where recordings go that name no destination, as `sdrive://`; when not set, they are refused. */
      defaultDestination: z
        .string()
        .regex(/^(?:sdrive|file):\/\/\S*$/, 'expected sdrive:// or file:///folder/')
        .optional(),
      /** Tell applications (`recording_failed`) what could not be recorded or delivered. */
      failureEvents: z.boolean().default(false),
    })
    .prefault({}),
  /** Which application answers which number. */
  numbers: z
    .array(
      z.strictObject({
        /** E.164, or the user part of the SIP URI that is called. */
        number: z.string().min(1),
        /** Whose language the documents are in; sift when not set. */
        dialect: z.enum(['sift', 'signalwire', 'sinch']).optional(),
        /** Asked for a document when a call comes in. */
        onIncoming: httpUrl.optional(),
        /** Asked where `onIncoming` fails; of the dialect sinch. */
        fallbackUrl: httpUrl.optional(),
        /** The document itself, used only when `onIncoming` is not set: a routine, SWML or SVAML. */
        defaultRoutine: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).optional(),
      }),
    )
    .default([]),
  /** When calls are refused so that those that are here do not suffer. */
  admission: z
    .strictObject({
      /** Calls at once. When not set: as many as the machine carries. */
      maxCalls: z.int().min(1).optional(),
      /** Of the media loop's ticks, in two seconds running. 0: not looked at. */
      maxLateTickShare: z.number().min(0).max(1).default(0.2),
      /** On the spool's disk. 0: not looked at. */
      minFreeDiskMb: z.number().min(0).default(500),
      /** That the server's main thread has nothing but work, in one piece, until what waits for long refuses. 0: not looked at. */
      maxSignallingBusySeconds: z.number().min(0).default(5),
    })
    .prefault({}),
  recording: z
    .strictObject({
      /** When not set: by the best codec of the parties. */
      rateHz: z.literal([8000, 16000, 48000]).optional(),
      /** `off`: lost packets are silence in the files, which then hold nothing but what was received. */
      lossConcealment: z.enum(['on', 'off']).default('on'),
      /** `off`: no quality figures are worked out. */
      quality: z.enum(['on', 'off']).default('on'),
      /** A file on a disk for every recording, written along with it. When not set: none. */
      files: z
        .strictObject({
          /** Years, months and days are directories in it. */
          directory: z.string().min(1),
          format: z.enum(['wav', 'mp3', 'mp4']).default('wav'),
          /** Left and right instead of the mix. */
          stereo: z.boolean().default(false),
        })
        .optional(),
    })
    .prefault({}),
  /** Finished files on their way to destinations (docs/destinations.md). */
  delivery: z
    .strictObject({
      /** Other addresses than the vendors': compatible storages, or proxies before them. */
      endpoints: z
        .strictObject({ s3: httpUrl.optional(), gs: httpUrl.optional(), azure: httpUrl.optional() })
        .prefault({}),
      /** Of every object in an s3:// destination. */
      s3: z
        .strictObject({
          encryption: z
            .strictObject({
              algorithm: z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']),
              kmsKeyId: z.string().min(1).optional(),
            })
            .optional(),
          tags: tags.optional(),
        })
        .prefault({}),
      /** Of every blob in an azure:// destination. */
      azure: z
        .strictObject({ encryptionScope: z.string().min(1).optional(), tags: tags.optional() })
        .prefault({}),
      /** What file:// may lead into; nowhere when not set. */
      fileDirectories: z.array(z.string().min(1)).default([]),
      /** Whether there is sdrive://, our own store in `dataDir`. */
      ownStore: z.boolean().default(true),
      /** A file that does not arrive is given up after so long. */
      retryDays: z.number().min(0.01).max(60).default(5),
      /** Files that are sent at once; to one bucket, container or disk half as many. */
      concurrency: z.int().min(1).max(100).default(8),
    })
    .prefault({}),
  /** Text-to-speech; with neither `url` nor `command` an embedded English engine speaks. */
  speech: z
    .strictObject({
      /** A server with OpenAI's interface (POST /v1/audio/speech). Also read from TTS_URL. */
      url: httpUrl.optional(),
      /** Sent to it as a bearer token. */
      key: secret.optional(),
      model: z.string().min(1).default('tts-1'),
      format: z.enum(['wav', 'pcm']).default('wav'),
      /**
       * A program that reads text and writes a WAV file, as a list or divided at spaces; no shell runs it. `{voice}`,
       * `{locale}` and `{rate}` in its arguments are filled in. Also read from TTS_CMD.
       */
      command: commandLine.optional(),
      /** Speaks when a document names none, or none that exists. */
      voice: z
        .string()
        .regex(/^[A-Za-z0-9][\w.+-]{0,99}$/, 'expected the name of a voice')
        .optional(),
      timeoutMs: z.int().min(100).max(120_000).default(15_000),
    })
    .refine(({ url, command }) => url === undefined || command === undefined, {
      path: ['command'],
      error: 'expected url or command, not both',
    })
    .prefault({}),
  /** Speech-to-text (docs/transcripts.md); with neither `url` nor `modelDir` an embedded English engine. */
  transcription: transcriptionSettings,
  database: z
    .strictObject({
      /** A PostgreSQL server; without one an embedded server runs in `dataDir`. Also read from DATABASE_URL. */
      url: secret.optional(),
    })
    .prefault({}),
});

export type ConfigInput = z.output<typeof configSchema>;
