/** Of all legs of the thread: slots that were encoded by codecs with a memory, which are those that cost something. */
export const encodingCount = { slots: 0 };
