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

/** Of `record_call` and `record`, to their `status_url`: one for each change of state. */
export type CallRecordEvent = Envelope<
  'calling.call.record',
  {
    call_id: string;
    node_id: string;
    control_id: string;
    state: RecordState;
    /** Present when the state is `finished`. */
    record?: RecordedFile;
    /** The same once more, where the documentation of `record` has it. */
    url?: string;
    duration?: number;
    size?: number;
    recording_id?: string;
  }
>;

/** What a SWML application gets at the URLs that its documents name. */
export type SignalWireEvent = CallRecordEvent;
