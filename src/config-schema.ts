import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { logLevels } from './logger.ts';
import { Secret } from './secret.ts';

/**
 * Every setting, once. The environment's names follow from the paths: `callbacks.timeoutMs` is
 * `CALLREEL_CALLBACKS_TIMEOUT_MS`; lists are separated by commas, lists of objects are JSON.
 */
const port = z.int().min(0).max(65535);
const secret = z
  .string()
  .min(1)
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
      transports: z
        .array(z.enum(['udp', 'tcp']))
        .min(1)
        .default(['udp', 'tcp']),
      /** What peers are told to send to, when it is not `host` (behind NAT). */
      advertisedHost: z.string().min(1).optional(),
      realm: z.string().min(1).default('callreel'),
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
  /** Which application answers which number. */
  numbers: z
    .array(
      z.strictObject({
        /** E.164, or the user part of the SIP URI that is called. */
        number: z.string().min(1),
        onIncoming: httpUrl.optional(),
        /** Used only when `onIncoming` is not set. */
        defaultRoutine: z.array(z.unknown()).optional(),
      }),
    )
    .default([]),
  recording: z
    .strictObject({
      /** When not set: by the best codec of the parties. */
      rateHz: z.literal([8000, 16000, 48000]).optional(),
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
  database: z
    .strictObject({
      /** A PostgreSQL server; without one an embedded server runs in `dataDir`. Also read from DATABASE_URL. */
      url: secret.optional(),
    })
    .prefault({}),
});

export type ConfigInput = z.output<typeof configSchema>;
