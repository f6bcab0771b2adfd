export interface TranscriptionOptions {
  enabled?: boolean;
  locale?: string;
}

/** Where a recording goes, and as what. */
export interface RecordingOptions {
  /** `s3://bucket/folder/file.mp3`, `azure://account/container/file.mp3`, `gs://bucket/`, `sdrive://file.mp3` */
  destinationUrl: string;
  /** `AccessKey:SecretKey:Region`, the account key of Azure, `AccessKey:Secret` of Google. */
  credentials?: string;
  format?: 'mp3' | 'wav';
  notificationEvents?: boolean;
  transcriptionOptions?: TranscriptionOptions;
}

/** Of every action that goes on. */
export interface Recorded {
  record?: boolean;
  recordingOptions?: RecordingOptions;
}

export interface CallHeader {
  key: string;
  value: string;
}

export interface ConnectPstnOptions extends Recorded {
  /** What the caller called, unless given. */
  number?: string;
  cli?: string;
  /** Seconds, 14400 at most. */
  maxDuration?: number;
  /** Seconds that it may ring. */
  dialTimeout?: number;
  suppressCallbacks?: boolean;
  /** Keys for the called party; `w` waits for half a second. */
  dtmf?: string;
  /** Whose ringing tone the caller hears, as `us`. */
  indications?: string;
}

export interface ConnectSipOptions extends Recorded {
  /** `alice@example.com` or a SIP URI. */
  endpoint: string;
  cli?: string;
  maxDuration?: number;
  transport?: 'udp' | 'tcp' | 'tls';
  suppressCallbacks?: boolean;
  callHeaders?: readonly CallHeader[];
}

export interface ConnectMxpOptions extends Recorded {
  /** Whom the caller called, unless given. */
  username?: string;
  callHeaders?: readonly CallHeader[];
}

export interface ConnectConfOptions extends Recorded {
  /** 64 characters at most. */
  conferenceId: string;
  conferenceDtmfOptions?: {
    mode?: 'ignore' | 'forward' | 'detect';
    maxDigits?: number;
    timeoutMills?: number;
  };
  moh?: 'ring' | 'music1' | 'music2' | 'music3';
  suppressCallbacks?: boolean;
}

/** `menu(ID)` or `return(VALUE)`. */
export type MenuAction = `menu(${string})` | `return(${string})`;

export interface Menu {
  id: string;
  /** `#tts[Hello]`, `#ssml[..]`, a URL; several divided by `;`. */
  mainPrompt?: string;
  repeatPrompt?: string;
  repeats?: number;
  maxDigits?: number;
  timeoutMills?: number;
  options?: readonly { dtmf: string; action: MenuAction }[];
}

export interface RunMenuOptions extends Recorded {
  /** One has the id `main`, unless `mainMenu` names another. */
  menus: readonly Menu[];
  mainMenu?: string;
  barge?: boolean;
  locale?: string;
}

export interface ParkOptions extends Recorded {
  locale?: string;
  introPrompt?: string;
  holdPrompt?: string;
  /** Seconds, 600 at most. */
  maxDuration?: number;
}
