/** What every event says of where it comes from. */
interface Envelope<EventType extends string, Parameters> {
  event_type: EventType;
  /** `swml:` and the id of the document's run. */
  event_channel: string;
  /** Unix time in seconds, with a fraction. */
  timestamp: number;
  project_id: string;
  space_id: string;
  params: Parameters;
}

/** The file of a recording. */
export interface RecordedFile {
  url: string;
  /** In seconds. */
  duration: number;
  /** In bytes. */
  size: number;
  format: 'wav' | 'mp3' | 'mp4';
}

export type RecordState = 'recording' | 'paused' | 'finished' | 'no_input' | 'error';

interface OfCall {
  call_id: string;
  node_id: string;
  control_id: string;
}

/** Of a recording: one for each change of its state. What is known of the file stands here and in `record`. */
export interface RecordParameters extends OfCall, Partial<RecordedFile> {
  state: RecordState;
  recording_id: string;
  /** Of an end. */
  record?: RecordedFile & {
    audio: { format: string; direction: 'speak' | 'listen' | 'both'; stereo: boolean };
  };
  /** Of a pause. */
  pause_behavior?: 'skip' | 'silence';
  /** Unix times in seconds, of an end. */
  start_time?: number;
  end_time?: number;
}

/** To the `status_url` of `record_call`, `record` and the REST command `calling.record`. */
export type CallRecordEvent = Envelope<'calling.call.record', RecordParameters>;

/** To the `status_url` of `play` and the REST command `calling.play`. */
export type CallPlayEvent = Envelope<
  'calling.call.play',
  OfCall & { state: 'playing' | 'paused' | 'finished' | 'error' }
>;

/** What a SWML application gets at the URLs that its documents name, as far as it concerns recordings and prompts. */
export type SignalWireEvent = CallRecordEvent | CallPlayEvent;
