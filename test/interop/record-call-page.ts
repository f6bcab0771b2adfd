import { readFile } from 'node:fs/promises';

/** The page's documents: by the name they are served under, their file in `test/data/signalwire/record_call`. */
const pageDocuments = {
  mp3: 'start-mp3',
  'play-back': 'record-and-play-back',
  speaker: 'record-speaker',
} as const;

export interface PageSettings {
  signingKey: string;
  /** A WAV file that the agents play. */
  prompt: Buffer;
}

export const callsFile = 'calls.jsonl';
export const statusesFile = 'statuses.jsonl';

/**
 * A Flask application that serves the page's documents as they stand (`/page/NAME`), and what agents of the page
 * "Call Recording" answer with (`/agent/NAME`). It refuses with 403 what our signatures do not stand for, and writes down
 * who called and which events came.
 */
export async function recordCallApplication({ signingKey, prompt }: PageSettings): Promise<string> {
  const documents: Record<string, string> = {};
  for (const [name, file] of Object.entries(pageDocuments))
    documents[name] = await readFile(
      new URL(`../data/signalwire/record_call/${file}.yaml`, import.meta.url),
      'utf8',
    );
  return `
import base64, hashlib, hmac, json
from flask import Flask, Response, abort, request

key = ${JSON.stringify(signingKey)}
pages = json.loads(${JSON.stringify(JSON.stringify(documents))})
prompt = base64.b64decode('${prompt.toString('base64')}')
app = Flask(__name__)

@app.before_request
def check_signatures():
    if request.method != 'POST':
        return
    signed = request.url.encode() + request.get_data()
    for header, algorithm in (('X-Signalwire-Signature', hashlib.sha1), ('X-SignalWire-SHA256-Signature', hashlib.sha256)):
        expected = hmac.new(key.encode(), signed, algorithm).hexdigest()
        if not hmac.compare_digest(expected, request.headers.get(header, '')):
            abort(403)

def note(file, value):
    with open(file, 'a') as out:
        out.write(json.dumps(value) + '\\n')

def asked():
    call = request.get_json()['call']
    note('${callsFile}', {'path': request.full_path, 'call_id': call['call_id'], 'to': call['to']})

@app.route('/page/<name>', methods=['POST'])
def page(name):
    asked()
    return Response(pages[name], mimetype='application/yaml')

@app.route('/status', methods=['POST'])
def status():
    note('${statusesFile}', request.get_json())
    return {}

@app.route('/prompt.wav')
def prompt_file():
    return Response(prompt, mimetype='audio/wav')

# What record_call() of the vendor's Python SDK emits for its arguments.
def record_call(**given):
    return {'record_call': {'stereo': False, 'format': 'wav', 'direction': 'both', 'beep': False, 'input_sensitivity': 44.0, **given}}

def stop_record_call(control_id):
    return {'stop_record_call': {'control_id': control_id}}

def document(*main):
    return {'version': '1.0.0', 'sections': {'main': [{'answer': {}}, *main]}}

def play():
    return {'play': {'url': request.url_root + 'prompt.wav'}}

@app.route('/agent/forms', methods=['POST'])
def forms():
    asked()
    compliance = 'compliance_' + request.get_json()['call']['call_id']
    status_url = request.url_root + 'status'
    return document(
        record_call(control_id='main_recording', stereo=True),
        record_call(control_id='stereo_rec', stereo=True),
        record_call(control_id='mono_rec', format='mp3'),
        record_call(direction='speak'),
        record_call(direction='listen'),
        record_call(direction='both'),
        record_call(control_id='webhook_rec', status_url=status_url + '?of=webhook'),
        record_call(control_id='main'),
        record_call(control_id=compliance, stereo=True, beep=True, status_url=status_url),
        play(),
        {'sleep': 3000},
        stop_record_call('main'),
        stop_record_call(compliance),
        {'sleep': 500},
        record_call(control_id=compliance, stereo=True),
        play(),
        {'sleep': 3000},
    )

@app.route('/agent/record-call-setting', methods=['POST'])
def setting():
    asked()
    return document({'record_call': {'format': 'wav', 'stereo': True}}, play(), {'sleep': 5000})

@app.route('/agent/auto-stop', methods=['POST'])
def auto_stop():
    asked()
    stops = record_call(max_length=300.0, end_silence_timeout=5.0, terminators='#', control_id='auto', status_url=request.url_root + 'status')
    return document(stops, play(), {'sleep': 9000})

@app.route('/agent/beep', methods=['POST'])
def beep():
    asked()
    return document(record_call(direction='listen'), record_call(beep=True, format='mp3'), play(), {'sleep': 1500})

@app.route('/agent/executes', methods=['POST'])
def executes():
    asked()
    return document({'execute': {'dest': request.url_root + 'page/mp3'}}, play(), {'sleep': 5000})
`;
}
