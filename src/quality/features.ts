import { bandCount, leastDbov, rowLength, stepsPerDb } from './band-levels.ts';

export interface Rows {
  levels: Uint8Array;
  count: number;
  breaks: readonly number[];
}
const dynamicRangeDb = 60;
const groups: readonly (readonly number[])[] = [[bandCount], [1, 2], [3, 4], [5, 6], [7, 8]];
export const featureNames: string[] = [];

export function features({ levels, count, breaks }: Rows): Float64Array | null {
  const out: number[] = [];
  featureNames.length = 0;
  const put = (name: string, v: number) => { out.push(v); featureNames.push(name); };
  const tracks = Array.from({ length: rowLength }, (_, b) => {
    const t = new Float64Array(count);
    for (let i = 0; i < count; i++) t[i] = leastDbov + levels[i * rowLength + b]! / stepsPerDb;
    return t;
  });
  const whole = tracks[bandCount]!;
  const valid: number[] = [];
  for (let i = 0; i < count; i++) if (whole[i]! > -85) valid.push(i);
  if (valid.length < 100) return null;
  const sorted = tracks.map((t) => Float64Array.from(valid, (i) => t[i]!).sort());
  const q = (s: Float64Array, p: number) => s[Math.min(s.length - 1, Math.floor((p / 100) * s.length))]!;
  const tops = sorted.map((s) => q(s, 95));
  const clamp = (v: number, lo: number) => Math.max(lo, v);
  for (const p of [0.5, 1, 3, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99])
    put(`w${p}`, clamp(q(sorted[bandCount]!, p) - tops[bandCount]!, -dynamicRangeDb));
  for (let b = 0; b < bandCount; b++) {
    for (const p of [1, 5, 15, 30, 50, 80]) put(`b${b}p${p}`, clamp(q(sorted[b]!, p) - tops[b]!, -dynamicRangeDb));
    put(`b${b}top`, clamp(tops[b]! - tops[bandCount]!, -dynamicRangeDb));
    put(`b${b}low`, clamp(q(sorted[b]!, 5) - q(sorted[bandCount]!, 5), -dynamicRangeDb));
  }
  let mean = 0;
  for (const i of valid) mean += 10 ** ((whole[i]! - tops[bandCount]!) / 10);
  put('mean', 10 * Math.log10(mean / valid.length));
  // variability of the low frames
  const lowThr = q(sorted[bandCount]!, 20);
  let lm = 0, ls = 0, ln = 0;
  for (let i = 1; i < count; i++) if (whole[i]! <= lowThr && whole[i]! > -85 && whole[i - 1]! > -85) { const d = whole[i]! - whole[i - 1]!; lm += Math.abs(d); ls += d * d; ln++; }
  put('lowvar', Math.sqrt(ls / (ln + 1)));
  const segs = [0, ...breaks, count];
  groups.forEach((bands, g) => {
    const t = new Float64Array(count);
    for (const b of bands) for (let i = 0; i < count; i++) t[i]! += tracks[b]![i]! / bands.length;
    const s = Float64Array.from(valid, (i) => t[i]!).sort();
    const top = q(s, 95);
    const floor = Math.max(q(s, 3), top - 45);
    for (let i = 0; i < count; i++) t[i] = Math.max(t[i]!, floor) - top;
    autocov(t, segs, g, put);
    slopes(t, segs, g, put);
    drops(t, segs, g, put, floor - top);
    modulation(t, segs, g, put);
  });
  return Float64Array.from(out);
}
type Put = (name: string, v: number) => void;
function quant(a: number[], p: number, dflt: number): number {
  if (a.length < 5) return dflt;
  return a[Math.min(a.length - 1, Math.floor((p / 100) * a.length))]!;
}
function autocov(t: Float64Array, segs: number[], g: number, put: Put) {
  let m = 0; for (const v of t) m += v; m /= t.length;
  let v0 = 0; for (const v of t) v0 += (v - m) ** 2; v0 /= t.length;
  put(`g${g}std`, Math.sqrt(v0));
  for (const lag of [1, 2, 4, 8, 16, 32, 64, 128]) {
    let c = 0, n = 0;
    for (let k = 0; k + 1 < segs.length; k++) for (let i = segs[k]!; i + lag < segs[k + 1]!; i++) { c += (t[i]! - m) * (t[i + lag]! - m); n++; }
    put(`g${g}ac${lag}`, n ? c / n / (v0 + 1e-9) : 0);
  }
}
function slopes(t: Float64Array, segs: number[], g: number, put: Put) {
  for (const W of [5, 10, 20, 40, 80]) {
    const all: number[] = [];
    const mid = (W - 1) / 2;
    const sxx = (W * (W * W - 1)) / 12;
    for (let k = 0; k + 1 < segs.length; k++) for (let i = segs[k]!; i + W <= segs[k + 1]!; i++) {
      let s = 0, mx = -99;
      for (let j = 0; j < W; j++) { s += (j - mid) * t[i + j]!; if (t[i + j]! > mx) mx = t[i + j]!; }
      if (mx > -20) all.push((s / sxx) * 100);
    }
    all.sort((a, b) => a - b);
    for (const p of [1, 5, 15, 30, 50, 70, 85, 95, 99]) put(`g${g}s${W}p${p}`, Math.sign(quant(all, p, 0)) * Math.log1p(Math.abs(quant(all, p, 0)) / 20));
    let neg = 0, nn = 0, pos = 0, pn = 0;
    for (const v of all) if (v < 0) { neg += v * v; nn++; } else { pos += v * v; pn++; }
    put(`g${g}s${W}neg`, Math.log1p(Math.sqrt(neg / (nn + 1)) / 20));
    put(`g${g}s${W}pos`, Math.log1p(Math.sqrt(pos / (pn + 1)) / 20));
  }
}
function drops(t: Float64Array, segs: number[], g: number, put: Put, floor: number) {
  const X = [6, 12, 18, 24, 30];
  const times: number[][] = X.map(() => []);
  let events = 0;
  for (let k = 0; k + 1 < segs.length; k++) {
    const end = segs[k + 1]!;
    for (let i = segs[k]! + 1; i + 25 < end; i++) {
      if (t[i]! < -12 || t[i]! < t[i - 1]!) continue;
      // nothing louder for 250 ms
      let ok = true;
      for (let j = 1; j <= 25 && ok; j++) if (t[i + j]! >= t[i]!) ok = false;
      if (!ok) continue;
      events++;
      let x = 0, run = t[i]!;
      for (let j = 1; j < 300 && i + j < end && x < X.length; j++) {
        const v = t[i + j]!;
        if (v > run + 6) break; // speech again
        if (v < run) run = v;
        while (x < X.length && v <= t[i]! - X[x]! ) { times[x]!.push(Math.log(j)); x++; }
      }
    }
  }
  times.forEach((list, x) => {
    list.sort((a, b) => a - b);
    for (const p of [10, 30, 60]) put(`g${g}d${X[x]}p${p}`, quant(list, p, Math.log(300)));
    put(`g${g}d${X[x]}n`, list.length / (events + 1));
  });
  put(`g${g}floor`, floor);
}
import { Fft } from './fft.ts';
const mod = new Fft(128);
function modulation(t: Float64Array, segs: number[], g: number, put: Put) {
  const edges = [1, 3, 6, 12, 24, 44, 64];
  const acc = new Float64Array(6);
  const re = new Float64Array(128), im = new Float64Array(128);
  for (let k = 0; k + 1 < segs.length; k++) for (let i = segs[k]!; i + 128 <= segs[k + 1]!; i += 64) {
    let m = 0;
    for (let j = 0; j < 128; j++) m += re[j] = 10 ** (t[i + j]! / 20);
    m /= 128;
    for (let j = 0; j < 128; j++) re[j] = (re[j]! - m) * (0.5 - 0.5 * Math.cos((2 * Math.PI * (j + 0.5)) / 128));
    im.fill(0);
    mod.transform(re, im);
    for (let e = 0; e < 6; e++) for (let b = edges[e]!; b < edges[e + 1]!; b++) acc[e]! += re[b]! ** 2 + im[b]! ** 2;
  }
  const tot = acc.reduce((a, b) => a + b, 1e-12);
  for (let e = 0; e < 6; e++) put(`g${g}m${e}`, 10 * Math.log10((acc[e]! + 1e-12) / tot));
}
