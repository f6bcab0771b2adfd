/** Longest identifier of a key (RFC 4568 section 6.1 allows 128). */
export const maxMkiBytes = 16;
/** Tag, index of RTCP and key identifier. */
export const maxSrtpOverheadBytes = 16 + 4 + maxMkiBytes;
