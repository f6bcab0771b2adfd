/** Rooms have less than this, halls more: from here on the scale of the RT60 model is logarithmic. */
const roomSeconds = 1.6;

/** What the model is fitted to for a reverberation time, so that a hall of 8 s does not weigh as much as ten rooms. */
export function toModelScale(seconds: number): number {
  return seconds <= roomSeconds ? seconds : roomSeconds * (1 + Math.log(seconds / roomSeconds));
}

export function fromModelScale(value: number): number {
  return value <= roomSeconds ? value : roomSeconds * Math.exp(value / roomSeconds - 1);
}
