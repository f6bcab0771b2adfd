import { snakeCased } from '../snake-case.ts';
import { type SwmlBuilder, type SwmlDocument, swml } from './document.ts';
import type { RecordCallOptions, StopRecordCallOptions } from './options.ts';

export interface FunctionAnswer {
  response?: string;
  action?: Record<string, unknown>[];
  post_process?: boolean;
}

/** What the vendor's SDK sends with every recording, said or not. */
const recordingDefaults = {
  stereo: false,
  format: 'wav',
  direction: 'both',
  beep: false,
  inputSensitivity: 44,
} as const;

/** The answer of a function that an agent called: a text to say and actions, in the form of the vendor's SDK. */
export class FunctionResult {
  response: string;
  readonly action: Record<string, unknown>[] = [];
  postProcess: boolean;

  /** @param postProcess the actions wait for the agent's next turn */
  constructor(response = '', postProcess = false) {
    this.response = response;
    this.postProcess = postProcess;
  }

  setResponse(response: string): this {
    this.response = response;
    return this;
  }

  setPostProcess(postProcess: boolean): this {
    this.postProcess = postProcess;
    return this;
  }

  addAction(name: string, data: unknown): this {
    this.action.push({ [name]: data });
    return this;
  }

  /** Starts a recording; the conversation goes on. */
  recordCall(options: RecordCallOptions = {}): this {
    const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
    return this.executeSwml(swml().recordCall({ ...recordingDefaults, ...Object.fromEntries(given) }));
  }

  /** Ends the recording of that name, or the last one. */
  stopRecordCall(which?: StopRecordCallOptions | string): this {
    return this.executeSwml(swml().stopRecordCall(which));
  }

  /** @param transfer the document takes the call over, for good */
  executeSwml(document: SwmlBuilder | SwmlDocument, transfer = false): this {
    const plain = 'toJSON' in document ? document.toJSON() : document;
    return this.addAction('SWML', { ...plain, ...(transfer && { transfer: 'true' }) });
  }

  updateGlobalData(data: Readonly<Record<string, unknown>>): this {
    return this.addAction('set_global_data', data);
  }

  removeGlobalData(keys: string | readonly string[]): this {
    return this.addAction('unset_global_data', keys);
  }

  say(text: string): this {
    return this.addAction('say', text);
  }

  hangup(): this {
    return this.addAction('hangup', true);
  }

  toJSON(): FunctionAnswer {
    const { response, action, postProcess } = this;
    if (action.length === 0) return { response: response || 'Action completed.' };
    return snakeCased({
      response: response || undefined,
      action: [...action],
      postProcess: postProcess || undefined,
    });
  }
}
