import { randomBytes } from 'node:crypto';
import { CallreelError } from '../errors.ts';
import { type CryptoAttribute, formatCrypto, parseCrypto } from './crypto-attribute.ts';
import type { Attribute, MediaDescription } from './session-description.ts';
import {
  type NegotiatedSrtp,
  type SrtpPolicy,
  type SrtpSuite,
  srtpKeyBytes,
  srtpSuiteNames,
} from './srtp-parameters.ts';

/** Our keys of one dialog, one for each suite; they stay until the peer changes its own. */
export class LocalSrtp {
  readonly policy: SrtpPolicy;
  /** Whether offers of ours carry keys. */
  readonly offered: boolean;
  /** Made when they are wanted. */
  #keys: Map<SrtpSuite, string> | undefined;
  #secureProfile: boolean;

  /** @param offered what is optional may be left to the peer to ask for */
  constructor(policy: SrtpPolicy, offered = true) {
    this.policy = policy;
    this.offered = policy === 'required' || (policy === 'optional' && offered);
    this.#secureProfile = policy === 'required';
  }

  /** What our offers say, RTP/SAVP or RTP/AVP. */
  get secureProfile(): boolean {
    return this.#secureProfile;
  }

  /** What we offer as an option is offered as RTP/SAVP from now on. @returns whether that changes anything */
  insist(): boolean {
    if (!this.offered || this.#secureProfile) return false;
    return (this.#secureProfile = true);
  }

  /** Master key and salt, base64. */
  keySalt(suite: SrtpSuite): string {
    this.#keys ??= new Map();
    let keySalt = this.#keys.get(suite);
    if (keySalt === undefined) {
      keySalt = randomBytes(srtpKeyBytes[suite]).toString('base64');
      this.#keys.set(suite, keySalt);
    }
    return keySalt;
  }

  /** From now on other keys. */
  renew(): void {
    this.#keys = undefined;
  }
}

/** Our answer to the `a=crypto` lines of a stream, of which it takes one. */
export interface AnsweredSrtp {
  attribute: Attribute;
  negotiated: NegotiatedSrtp;
}

/** The first of the suites we prefer, among those offered. @returns undefined when there is none */
export function answerSrtp(media: MediaDescription, local: LocalSrtp): AnsweredSrtp | undefined {
  const offered = cryptoAttributes(media);
  for (const suite of srtpSuiteNames) {
    const taken = offered.find((candidate) => candidate.suite === suite);
    if (!taken) continue;
    const keySalt = local.keySalt(suite);
    return {
      attribute: { name: 'crypto', value: formatCrypto(taken.tag, suite, keySalt) },
      negotiated: { send: { suite, key: { keySalt } }, receive: { suite, keys: taken.keys } },
    };
  }
  return undefined;
}

/** An `a=crypto` for each suite. */
export function offerSrtp(local: LocalSrtp): Attribute[] {
  return srtpSuiteNames.map((suite, index) => ({
    name: 'crypto',
    value: formatCrypto(index + 1, suite, local.keySalt(suite)),
  }));
}

/**
 * What the answer to our `a=crypto` lines came to. Some answer by the wrong tag, so that the suite decides.
 * @returns undefined when the answer takes none of them and did not have to
 * @throws CallreelError MEDIA_TRANSPORT_UNSUPPORTED
 */
export function applySrtp(offered: MediaDescription, answered: MediaDescription): NegotiatedSrtp | undefined {
  const ours = cryptoAttributes(offered);
  for (const { tag, suite, keys } of cryptoAttributes(answered)) {
    const same = ours.filter((candidate) => candidate.suite === suite);
    const own = same.find((candidate) => candidate.tag === tag) ?? same[0];
    if (own) return { send: { suite, key: own.keys[0]! }, receive: { suite, keys } };
  }
  if (isSecureProfile(offered.protocol) || isSecureProfile(answered.protocol))
    throw new CallreelError('MEDIA_TRANSPORT_UNSUPPORTED', 'the answer has no a=crypto of our offer', {
      where: `m=audio ${answered.protocol}`.slice(0, 100),
    });
  return undefined;
}

/** RTP/SAVP and RTP/SAVPF, keyed by `a=crypto`. */
export function isSecureProfile(protocol: string): boolean {
  return /^RTP\/SAVPF?$/i.test(protocol);
}

function cryptoAttributes(media: MediaDescription): CryptoAttribute[] {
  return media.attributes.flatMap(({ name, value }) => {
    const crypto = name === 'crypto' && value !== undefined ? parseCrypto(value) : undefined;
    return crypto ? [crypto] : [];
  });
}
