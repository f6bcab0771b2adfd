import type { CodecName } from '../codec/codec.ts';
import type { Hole } from './holes.ts';

/** What happened on a track, at samples of the room's clock. */
export type TimelineMark =
  | GapMark
  | ConcealedMark
  | SsrcChangeMark
  | CodecChangeMark
  | JumpMark
  | OverflowMark;

/** Silence in the stream: packets that never came, or a sender that paused (DTX) and said so in RTP time. */
export interface GapMark {
  kind: 'gap';
  cause: 'loss' | 'pause';
  atSample: number;
  samples: number;
}

/** Within a gap of cause `loss`: so short that files hold made-up audio there, unless asked not to. */
export interface ConcealedMark {
  kind: 'concealed';
  atSample: number;
  samples: number;
}

export interface SsrcChangeMark {
  kind: 'ssrc-change';
  atSample: number;
  ssrc: number;
}

export interface CodecChangeMark {
  kind: 'codec-change';
  atSample: number;
  codec: CodecName;
  clockRateHz: number;
}

/** RTP time could not be trusted, arrival decided. `samples` of silence lie before `atSample`. */
export interface JumpMark {
  kind: 'jump';
  atSample: number;
  samples: number;
}

/** Packets that came and could not be kept: the disk was too slow for too long. */
export interface OverflowMark {
  kind: 'overflow';
  atSample: number;
  packets: number;
}

/** What a hole is to the listener, if anything. */
export function gapMark({ cause, fromSample, toSample }: Hole): TimelineMark[] {
  if (cause !== 'loss' && cause !== 'pause') return [];
  return [{ kind: 'gap', cause, atSample: fromSample, samples: toSample - fromSample }];
}
