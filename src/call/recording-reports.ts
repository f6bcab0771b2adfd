import { CallreelError } from '../errors.ts';
import type { WorkerEvent } from '../media/control.ts';
import type { Directory } from './directory.ts';
import type { GivenConsent, Recording } from './recording.ts';

export type RecordingReport = Extract<WorkerEvent, { recordingId: string; roomId: string }>;

/** Of one recording. */
const maxConsents = 1000;

/** What becomes of recordings while they run, taken over by their mirrors and put on record. */
export class RecordingReports {
  readonly #directory: Pick<Directory, 'recordingEvidence' | 'recordingProgressed'>;

  constructor(directory: Pick<Directory, 'recordingEvidence' | 'recordingProgressed'>) {
    this.#directory = directory;
  }

  /** The media worker's word. @param conferenceName empty where the recording is of one call */
  take(report: RecordingReport, recording: Recording, conferenceName: string): void {
    switch (report.event) {
      case 'recording.ended':
        recording.markEnded(report.reason);
        return;
      case 'recording.noticed':
        recording.noticed(report.notice);
        void this.#directory.recordingEvidence(recording);
        return;
      case 'recording.consented':
        recording.consented(report.consent);
        void this.#directory.recordingEvidence(recording);
        return;
      default:
        recording.progressed(report.event);
        this.#directory.recordingProgressed(recording, conferenceName, report.atSample);
    }
  }

  /**
   * Puts the consent on record, then has the recording follow it; what can not be proven is not begun.
   * @throws CallreelError as `Recording.consent`; CONFLICT when there are too many
   */
  async consent(recording: Recording, given: GivenConsent): Promise<void> {
    if (recording.consents.length >= maxConsents)
      throw new CallreelError('CONFLICT', `a recording has at most ${maxConsents} consents`, {
        where: recording.recordingId,
      });
    recording.consents.push(given);
    await this.#directory.recordingEvidence(recording);
    try {
      await recording.consent(given);
    } catch (error) {
      recording.consents.splice(recording.consents.indexOf(given), 1);
      await this.#directory.recordingEvidence(recording);
      throw error;
    }
  }
}
