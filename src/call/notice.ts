/** What parties are told of a recording: spoken, or played. */
export type Notice = { kind: 'text'; text: string; voice?: string } | { kind: 'url'; url: string };

export interface NoticeSource {
  /**
   * @returns mono, 16 bit, 8000 Hz
   * @throws CallreelError what the text can not be spoken or the file not be had for; the signal's reason
   */
  samples(notice: Notice, signal: AbortSignal): Promise<Int16Array>;
}
