import { tone } from '../audio/tone.ts';
import type { ConsentReport, NoticeReport, RecordingConsent } from '../media/consent-control.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import type { TestPhone } from '../media/test-phone.ts';
import { RecordingBench } from './test-recording-bench.ts';

const rateHz = 8000;
export const noticeHz = 700;
export const toneOf = (frequencyHz: number, ms: number): Int16Array =>
  tone({ rateHz, frequencyHz, levelDbov: -20 }, (ms * rateHz) / 1000);
export const voice = { consentId: 'c', method: 'voice', who: 'Ann' };

/** A worker with a recording `r`, of the call `a` unless told otherwise, that parties are told of and consent to. */
export class ConsentBench extends RecordingBench {
  recordCall(options: RecorderOptions): Promise<void> {
    return this.record('a', 'r', { options });
  }

  async notice(ms: number, recordingId = 'r'): Promise<void> {
    const audio = { samples: toneOf(noticeHz, ms), rateHz: 8000 } as const;
    await this.execute({ verb: 'recording.notice', recordingId, audio });
  }

  async consent(given: Partial<RecordingConsent> = {}): Promise<void> {
    await this.execute({ verb: 'recording.consent', recordingId: 'r', ...given });
  }

  async stop(reason: 'stopped' | 'consent_withdrawn' = 'stopped'): Promise<void> {
    await this.execute({ verb: 'recording.stop', recordingId: 'r', reason });
    await this.slots(3);
  }

  get noticed(): NoticeReport[] {
    return this.events.flatMap((event) => (event.event === 'recording.noticed' ? [event.notice] : []));
  }

  get consented(): ConsentReport[] {
    return this.events.flatMap((event) => (event.event === 'recording.consented' ? [event.consent] : []));
  }
}

/** Of anything that is not silence, in packets of 20 ms of G.711. */
export const heardBy = (phone: TestPhone): number =>
  phone.received.filter((packet) => packet.payload().some((byte) => (byte | 0x80) !== 0xff)).length * 20;

/** From the first sound to the last, in ms. */
export const loudMs = (samples: Int16Array): number => {
  const isLoud = (sample: number): boolean => Math.abs(sample) > 100;
  const from = samples.findIndex(isLoud);
  // A sine begins and ends softly.
  return from < 0 ? 0 : Math.round((samples.findLastIndex(isLoud) + 1 - from) / 80) * 10;
};

/** Which of the tests' tones are in it. */
export function tonesIn(samples: Int16Array): number[] {
  const all = [500, noticeHz, 900, 1000, 1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900, 2000];
  return all.filter((frequencyHz) => levelOf(samples, frequencyHz) > 100);
}

function levelOf(samples: Int16Array, frequencyHz: number): number {
  let re = 0;
  let im = 0;
  for (let i = 0; i < samples.length; i++) {
    const angle = (2 * Math.PI * frequencyHz * i) / rateHz;
    re += samples[i]! * Math.cos(angle);
    im += samples[i]! * Math.sin(angle);
  }
  return (2 * Math.hypot(re, im)) / samples.length;
}
