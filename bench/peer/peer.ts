import type { CallMedia } from '../capacity/two-party-signalling.ts';

/** Another recorder, whose work is measured beside ours. */
export interface Peer extends AsyncDisposable {
  readonly pid: number;
  /**
   * A call that is relayed and recorded.
   * @param media where each party is @returns where the peer wants the media of each
   */
  connect(call: number, media: CallMedia): Promise<CallMedia>;
  /** All calls. */
  end(): Promise<void>;
  /** Once they have ended: packets that are in no recording. @throws Error where a recording is missing */
  notRecorded(sent: readonly number[]): Promise<number>;
}
