import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { CallCapture } from '../media/control.ts';
import type { FileOrder } from '../worker/file-protocol.ts';
import { assertKeepable, type DeliveryWish, withoutCredentials } from './delivery-wish.ts';
import type { Directory } from './directory.ts';
import type { NoticeSource } from './notice.ts';
import type { RecordableRoom, RecordingMaker } from './recordable-room.ts';
import { Recording, type RecordingWishes } from './recording.ts';
import type { RecordingKeys } from './recording-keys.ts';
import { defaultLocale, wantedLocale } from './transcript-wish.ts';

export interface RecordingFactoryOptions {
  directory: Directory;
  /** Puts the end of each on record. */
  closer: { follow(recording: Recording): void };
  /** Where a file is wanted of each. */
  files?: RecordingFileMaker | undefined;
  /** Told of each recording with a destination. */
  deliveries?: { follow(recording: Recording, delivery: DeliveryWish): void } | undefined;
  /** Measures each. */
  quality?: { follow(recording: Recording): void } | undefined;
  keys: RecordingKeys;
  notices?: NoticeSource | undefined;
  /** Rate of new recordings; undefined: by the best codec of the parties when the recording starts. */
  rateHz: number | undefined;
  /** The rate that does a party's codec justice. */
  rateHzOf(legId: string): number;
}

export interface RecordingFileMaker {
  order(recording: { conversationId: string; recordingId: string }): FileOrder;
  follow(recording: Recording, order: FileOrder): void;
}

const leastRateHz = 8000;
/** Of one call, or one conference: each that starts or stops is written into what all that run have of it. */
export const maxRunningRecordings = 32;
export const maxRecordings = 1000;

/** Makes the recordings of conferences and calls: each with its own key, on record before it starts. */
export class RecordingFactory implements RecordingMaker {
  readonly #options: RecordingFactoryOptions;
  readonly #made = new WeakMap<RecordableRoom, number>();

  constructor(options: RecordingFactoryOptions) {
    this.#options = options;
  }

  create(room: RecordableRoom, wanted: RecordingWishes, call?: CallCapture): Recording {
    const { directory, closer, keys, files, notices, deliveries, quality } = this.#options;
    const { delivery } = wanted;
    if (delivery) assertKeepable(delivery);
    const wishes = delivery ? { ...wanted, delivery: withoutCredentials(delivery) } : wanted;
    const { controlId, clientState, statusUrl, ...others } = wishes;
    if (
      controlId !== undefined &&
      room.recordings.some((each) => each.running && each.wishes.controlId === controlId)
    )
      throw new CallreelError('CONFLICT', 'a recording with this control id runs already', {
        where: 'control_id',
      });
    this.#count(room);
    const { conversationId, accountId, name, dialect, startedUnixMs, worker, eventCallbacks } = room;
    const recordingId = newId();
    const key = keys.create(recordingId);
    const fileOrder = files?.order({ conversationId, recordingId });
    const meta = {
      conferenceName: name,
      dialect,
      startedUnixMs,
      eventCallbacks: [...eventCallbacks],
      ...(call && { kind: 'call', connectionId: call.legId }),
      ...(clientState !== undefined && { clientState }),
      ...(controlId !== undefined && { controlId }),
      ...(statusUrl !== undefined && { statusUrl }),
      wishes: { ...others, ...(statusUrl !== undefined && { statusUrl }) },
      ...(fileOrder && { file: fileOrder }),
    };
    const recording = new Recording({
      ...{ recordingId, conversationId, accountId, key, worker, meta, wishes, call, notices },
      rateHz: this.#options.rateHz ?? this.#bestRateHz(room),
    });
    directory.recordingStarted(recording, key.sealed, fileOrder, delivery);
    closer.follow(recording);
    quality?.follow(recording);
    if (delivery) deliveries?.follow(recording, delivery);
    if (fileOrder) files?.follow(recording, fileOrder);
    return recording;
  }

  transcribe(recording: Recording, wish: NonNullable<RecordingWishes['transcription']>): void {
    this.#options.directory.transcriptWanted(
      recording,
      wantedLocale({ transcription: wish }) ?? defaultLocale,
    );
  }

  #count(room: RecordableRoom): void {
    const running = room.recordings.filter((each) => each.running).length;
    const made = this.#made.get(room) ?? 0;
    const where = room.conversationId;
    if (running >= maxRunningRecordings)
      throw new CallreelError('TOO_MANY_RECORDINGS', `${running} recordings run at once already`, { where });
    if (made >= maxRecordings)
      throw new CallreelError('TOO_MANY_RECORDINGS', `there were ${made} recordings already`, { where });
    this.#made.set(room, made + 1);
  }

  #bestRateHz({ members }: RecordableRoom): number {
    return Math.max(leastRateHz, ...members.map(({ connectionId }) => this.#options.rateHzOf(connectionId)));
  }
}
