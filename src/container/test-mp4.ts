/** Reads boxes back as ISO/IEC 14496-12 has them, independently of what writes them. */
export interface TestBox {
  type: string;
  /** Of the box in the file, and of its end. */
  at: number;
  end: number;
  body: Buffer;
}

/** The boxes of `file` that are there whole, and where the first that is not begins. */
export function wholeBoxes(file: Buffer): { boxes: TestBox[]; end: number } {
  const boxes: TestBox[] = [];
  let at = 0;
  while (at + 8 <= file.length) {
    const short = file.readUInt32BE(at);
    const headBytes = short === 1 ? 16 : 8;
    if (at + headBytes > file.length) break;
    const end = at + (short === 1 ? Number(file.readBigUInt64BE(at + 8)) : short);
    if (end > file.length) break;
    boxes.push({
      type: file.toString('latin1', at + 4, at + 8),
      at,
      end,
      body: file.subarray(at + headBytes, end),
    });
    at = end;
  }
  return { boxes, end: at };
}

/** The body of the box at `path`, each the first of its type. */
export function inner(file: Buffer, ...path: readonly string[]): Buffer {
  let body = file;
  for (const type of path) {
    const found = wholeBoxes(body).boxes.find((each) => each.type === type);
    if (!found) throw new Error(`no ${type} of ${path.join('/')}`);
    body = found.body;
  }
  return body;
}

/** The frames of all whole fragments, and where in the track's time each fragment begins. */
export function fragmentFrames(file: Buffer): { frames: Buffer[]; decodeTimes: number[] } {
  const frames: Buffer[] = [];
  const decodeTimes: number[] = [];
  const { boxes } = wholeBoxes(file);
  for (const [k, moof] of boxes.entries()) {
    if (moof.type !== 'moof' || boxes[k + 1]?.type !== 'mdat') continue;
    decodeTimes.push(Number(inner(moof.body, 'traf', 'tfdt').readBigUInt64BE(4)));
    const run = inner(moof.body, 'traf', 'trun');
    let at = moof.at + run.readInt32BE(8);
    for (let frame = 0; frame < run.readUInt32BE(4); frame += 1) {
      const hasDurations = (run.readUInt32BE(0) & 0x100) !== 0;
      const bytes = run.readUInt32BE(hasDurations ? 16 + 8 * frame : 12 + 4 * frame);
      frames.push(file.subarray(at, at + bytes));
      at += bytes;
    }
    if (at > boxes[k + 1]!.end) throw new Error('a frame beyond its mdat');
  }
  return { frames, decodeTimes };
}

/** The frames of a plain file. */
export function movieFrames(file: Buffer): Buffer[] {
  const table = inner(file, 'moov', 'trak', 'mdia', 'minf', 'stbl');
  const sizes = inner(table, 'stsz');
  const offsets = inner(table, 'co64');
  const runs = inner(table, 'stsc');
  const frames: Buffer[] = [];
  let run = -1;
  for (let chunk = 0; chunk < offsets.readUInt32BE(4); chunk += 1) {
    if (run + 1 < runs.readUInt32BE(4) && runs.readUInt32BE(8 + 12 * (run + 1)) === chunk + 1) run += 1;
    let at = Number(offsets.readBigUInt64BE(8 + 8 * chunk));
    for (let k = runs.readUInt32BE(12 + 12 * run); k > 0; k -= 1) {
      const bytes = sizes.readUInt32BE(12 + 4 * frames.length);
      frames.push(file.subarray(at, at + bytes));
      at += bytes;
    }
  }
  return frames;
}

/** Samples that the edit list plays, and from which on. */
export function editOf(file: Buffer): { samples: number; fromSample: number } {
  const list = inner(file, 'moov', 'trak', 'edts', 'elst');
  return { samples: Number(list.readBigUInt64BE(8)), fromSample: Number(list.readBigUInt64BE(16)) };
}
