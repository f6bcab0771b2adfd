import { mostBefore } from '../capacity/load-generator.ts';
import { mostApartMs } from '../capacity/recorded-calls.ts';

/** What was found by more and more calls. */
export interface Saturation {
  /** Calls at once, at most. */
  callsHeld: number;
  recordings: number;
  refused: number;
  /** Of each refused INVITE. */
  retryAfterSeconds: readonly (number | undefined)[];
  /** Of OPTIONS; undefined: it was not refused, NaN: it was, and was not told when to ask again. */
  optionsRetryAfterSeconds: number | undefined;
  shortages: readonly string[];
  /** Calls that ended otherwise than by 503. */
  failures: number;
  gapSamples: number;
  lostPackets: number;
  wrongPackets: number;
  reorderedPackets: number;
  /** Of one stream, at most. */
  notRelayedBefore: number;
  placedApartMs: number;
  overflows: number;
  sendsFailed: number;
}

/** @returns why a node did not refuse in time, or not as it should; nothing where it did */
export function shortcomingsOf(found: Saturation): string[] {
  const silent = found.retryAfterSeconds.filter((seconds) => seconds === undefined).length;
  const wrongs: [boolean, string][] = [
    [found.refused === 0, `none of ${found.callsHeld} calls was refused: the limit was not found`],
    [found.refused > 0 && found.shortages.length === 0, 'calls were refused for no shortage'],
    [silent > 0, `${silent} INVITEs were refused without Retry-After`],
    [Number.isNaN(found.optionsRetryAfterSeconds), 'OPTIONS was refused without Retry-After'],
    [found.failures > 0, `${found.failures} calls failed`],
    [
      found.recordings !== found.callsHeld,
      `${found.recordings} recordings of ${found.callsHeld} calls are verified`,
    ],
    [found.gapSamples > 0, `${found.gapSamples} samples are not what was sent`],
    [found.lostPackets > 0, `${found.lostPackets} packets are lost`],
    [found.wrongPackets > 0, `${found.wrongPackets} packets were none of the other party's`],
    [found.reorderedPackets > 0, `${found.reorderedPackets} packets came out of their order`],
    [
      found.notRelayedBefore > mostBefore,
      `${found.notRelayedBefore} packets of a party were sent before the first that was relayed`,
    ],
    [
      found.placedApartMs > mostApartMs,
      `channels lie ${found.placedApartMs} ms otherwise than they were sent`,
    ],
    [found.overflows > 0, `${found.overflows} packets were dropped before the spool`],
    [found.sendsFailed > 0, `${found.sendsFailed} packets could not be sent`],
  ];
  return wrongs.filter(([isSo]) => isSo).map(([, what]) => what);
}
