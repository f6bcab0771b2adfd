import type { CallreelError } from '../errors.ts';

/** An MP3 file that is encoded along with its recording; plain data for the encode thread. */
export interface EncodeOrder {
  conversationId: string;
  recordingId: string;
  /** Left and right instead of the mix. */
  stereo: boolean;
}

export type EncodeCommand = { id: number } & (
  | { verb: 'follow'; order: EncodeOrder }
  /** Encodes what is new; their conversations were settled just before. */
  | { verb: 'step'; recordingIds: string[] }
  /** The recording has ended: its whole file, if there is one. */
  | { verb: 'take'; recordingId: string }
  | { verb: 'drop'; recordingId: string }
);

export type EncodeReply = { id: number } & (
  | { reply: 'done'; file?: Uint8Array<ArrayBuffer> | undefined }
  | { reply: 'error'; error: ReturnType<CallreelError['toJSON']> }
);
