/*
 * SRTP of one stream as phones with SDES have it: AES_CM_128_HMAC_SHA1_80 (RFC 3711), RTP alone, without CSRC and header
 * extension. Of packets that are sent in order, and of those that come nearly so.
 */
#ifndef SRTP_H
#define SRTP_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SRTP_TAG = 10, SRTP_KEY = 16, SRTP_SALT = 14, SRTP_MASTER = SRTP_KEY + SRTP_SALT, SHA1_BYTES = 20, SHA1_BLOCK = 64 };

struct aes {
  uint32_t round_keys[44];
};

struct sha1 {
  uint32_t state[5];
};

struct srtp {
  struct aes cipher;
  uint8_t salt[SRTP_SALT];
  struct sha1 inner, outer; /* HMAC, behind its padded key */
  int known;
  uint16_t highest;
  uint32_t rollovers;
};

static uint8_t aes_box[256];
static uint32_t aes_table[256];

static inline uint32_t rotate(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }
static inline uint32_t word_at(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}
static inline void put_word(uint8_t *at, uint32_t word) {
  for (int i = 0; i < 4; i++) at[i] = word >> (24 - 8 * i);
}
static inline uint8_t doubled(uint8_t byte) { return (uint8_t)(byte << 1 ^ (byte & 128 ? 0x1b : 0)); }

/* FIPS 197 section 5.1.1: the inverse in GF(2^8), by powers of the generator 3, and an affine map. */
static void aes_make_tables(void) {
  uint8_t powers[256], logs[256];
  uint8_t value = 1;
  for (int i = 0; i < 255; i++) {
    powers[i] = value;
    logs[value] = i;
    value = value ^ doubled(value);
  }
  for (int i = 0; i < 256; i++) {
    uint8_t inverse = i == 0 ? 0 : powers[(255 - logs[i]) % 255];
    uint8_t box = 0x63;
    for (int turn = 0; turn < 5; turn++) box ^= (uint8_t)(inverse << turn | inverse >> (8 - turn));
    aes_box[i] = box;
    uint8_t twice = doubled(box);
    aes_table[i] = (uint32_t)twice << 24 | (uint32_t)box << 16 | (uint32_t)box << 8 | (uint8_t)(twice ^ box);
  }
}

static inline uint32_t substituted(uint32_t word) {
  return (uint32_t)aes_box[word >> 24] << 24 | (uint32_t)aes_box[word >> 16 & 255] << 16 |
         (uint32_t)aes_box[word >> 8 & 255] << 8 | aes_box[word & 255];
}

static void aes_set_key(struct aes *aes, const uint8_t *key) {
  if (aes_box[0] == 0) aes_make_tables();
  uint8_t round = 1;
  for (int i = 0; i < 44; i++) {
    if (i < 4) {
      aes->round_keys[i] = word_at(key + 4 * i);
      continue;
    }
    uint32_t word = aes->round_keys[i - 1];
    if (i % 4 == 0) {
      word = substituted(rotate(word, 8)) ^ (uint32_t)round << 24;
      round = doubled(round);
    }
    aes->round_keys[i] = aes->round_keys[i - 4] ^ word;
  }
}

static void aes_encrypt(const struct aes *aes, const uint8_t *in, uint8_t *out) {
  const uint32_t *keys = aes->round_keys;
  uint32_t state[4], next[4];
  for (int i = 0; i < 4; i++) state[i] = word_at(in + 4 * i) ^ keys[i];
  for (int round = 1; round < 10; round++) {
    for (int i = 0; i < 4; i++)
      next[i] = aes_table[state[i] >> 24] ^ rotate(aes_table[state[(i + 1) % 4] >> 16 & 255], 24) ^
                rotate(aes_table[state[(i + 2) % 4] >> 8 & 255], 16) ^
                rotate(aes_table[state[(i + 3) % 4] & 255], 8) ^ keys[4 * round + i];
    memcpy(state, next, sizeof state);
  }
  for (int i = 0; i < 4; i++)
    put_word(out + 4 * i, substituted((state[i] & 0xff000000) | (state[(i + 1) % 4] & 0xff0000) |
                                      (state[(i + 2) % 4] & 0xff00) | (state[(i + 3) % 4] & 0xff)) ^
                              keys[40 + i]);
}

/* XORs with the key stream from this counter block on (its last 16 bits are 0). */
static void aes_count(const struct aes *aes, const uint8_t counter[16], uint8_t *bytes, size_t length) {
  uint8_t block[16], stream[16];
  memcpy(block, counter, 16);
  for (size_t at = 0; at < length; at += 16) {
    block[14] = at >> 12;
    block[15] = at >> 4;
    aes_encrypt(aes, block, stream);
    for (size_t i = 0; i < 16 && at + i < length; i++) bytes[at + i] ^= stream[i];
  }
}

/* FIPS 180-4 */
static void sha1_block(struct sha1 *sha, const uint8_t *block) {
  uint32_t words[80], a = sha->state[0], b = sha->state[1], c = sha->state[2], d = sha->state[3], e = sha->state[4];
  for (int i = 0; i < 80; i++)
    words[i] = i < 16 ? word_at(block + 4 * i) : rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  for (int i = 0; i < 80; i++) {
    uint32_t mixed = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                     : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                              : (b ^ c ^ d) + 0xca62c1d6;
    uint32_t sum = rotate(a, 5) + mixed + e + words[i];
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = sum;
  }
  sha->state[0] += a;
  sha->state[1] += b;
  sha->state[2] += c;
  sha->state[3] += d;
  sha->state[4] += e;
}

/* @param before bytes that went into it already, whole blocks */
static void sha1_finish(struct sha1 sha, const uint8_t *bytes, size_t length, size_t before, uint8_t out[SHA1_BYTES]) {
  uint8_t last[2 * SHA1_BLOCK] = {0};
  size_t at = 0;
  for (; at + SHA1_BLOCK <= length; at += SHA1_BLOCK) sha1_block(&sha, bytes + at);
  size_t rest = length - at, blocks = rest + 9 > SHA1_BLOCK ? 2 : 1;
  memcpy(last, bytes + at, rest);
  last[rest] = 0x80;
  put_word(last + blocks * SHA1_BLOCK - 4, (uint32_t)(before + length) * 8);
  for (size_t i = 0; i < blocks; i++) sha1_block(&sha, last + i * SHA1_BLOCK);
  for (int i = 0; i < 5; i++) put_word(out + 4 * i, sha.state[i]);
}

static void srtp_set_key(struct srtp *srtp, const uint8_t master[SRTP_MASTER]) {
  struct aes derivation;
  uint8_t keys[3][SHA1_BYTES] = {{0}};
  const uint8_t lengths[3] = {SRTP_KEY, SHA1_BYTES, SRTP_SALT};
  aes_set_key(&derivation, master);
  for (int label = 0; label < 3; label++) {
    uint8_t counter[16] = {0};
    memcpy(counter, master + SRTP_KEY, SRTP_SALT);
    counter[7] ^= label;
    aes_count(&derivation, counter, keys[label], lengths[label]);
  }
  memset(srtp, 0, sizeof *srtp);
  aes_set_key(&srtp->cipher, keys[0]);
  memcpy(srtp->salt, keys[2], SRTP_SALT);
  const struct sha1 start = {{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
  uint8_t inner[SHA1_BLOCK], outer[SHA1_BLOCK];
  for (int i = 0; i < SHA1_BLOCK; i++) {
    uint8_t byte = i < SHA1_BYTES ? keys[1][i] : 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  srtp->inner = srtp->outer = start;
  sha1_block(&srtp->inner, inner);
  sha1_block(&srtp->outer, outer);
}

static void srtp_crypt(const struct srtp *srtp, uint8_t *packet, size_t header, size_t length, uint32_t rollovers) {
  uint8_t counter[16] = {0}, index[6];
  put_word(index, rollovers);
  memcpy(index + 4, packet + 2, 2);
  memcpy(counter, srtp->salt, SRTP_SALT);
  for (int i = 0; i < 4; i++) counter[4 + i] ^= packet[8 + i];
  for (int i = 0; i < 6; i++) counter[8 + i] ^= index[i];
  aes_count(&srtp->cipher, counter, packet + header, length - header);
}

static void srtp_tag(const struct srtp *srtp, const uint8_t *packet, size_t length, uint32_t rollovers,
                     uint8_t tag[SHA1_BYTES]) {
  uint8_t signed_bytes[1024], digest[SHA1_BYTES];
  memcpy(signed_bytes, packet, length);
  put_word(signed_bytes + length, rollovers);
  sha1_finish(srtp->inner, signed_bytes, length + 4, SHA1_BLOCK, digest);
  sha1_finish(srtp->outer, digest, SHA1_BYTES, SHA1_BLOCK, tag);
}

/* RFC 3711 section 3.3.1 @return rollovers of this packet; those of the stream are updated */
static uint32_t srtp_rollovers(struct srtp *srtp, uint16_t sequence) {
  if (!srtp->known) {
    srtp->known = 1;
    srtp->highest = sequence;
  }
  int16_t step = (int16_t)(sequence - srtp->highest);
  if (step <= 0) return srtp->rollovers - (sequence > srtp->highest ? 1 : 0);
  if (sequence < srtp->highest) srtp->rollovers++;
  srtp->highest = sequence;
  return srtp->rollovers;
}

/* In place; the packet has room for the tag. @return its length then */
static size_t srtp_protect(struct srtp *srtp, uint8_t *packet, size_t header, size_t length) {
  uint8_t tag[SHA1_BYTES];
  uint32_t rollovers = srtp_rollovers(srtp, (uint16_t)(packet[2] << 8 | packet[3]));
  srtp_crypt(srtp, packet, header, length, rollovers);
  srtp_tag(srtp, packet, length, rollovers, tag);
  memcpy(packet + length, tag, SRTP_TAG);
  return length + SRTP_TAG;
}

/* In place. @return the length of the plain packet, 0 for one that is not authentic */
static size_t srtp_unprotect(struct srtp *srtp, uint8_t *packet, size_t header, size_t length) {
  uint8_t tag[SHA1_BYTES];
  if (length < header + SRTP_TAG) return 0;
  length -= SRTP_TAG;
  uint32_t rollovers = srtp_rollovers(srtp, (uint16_t)(packet[2] << 8 | packet[3]));
  srtp_tag(srtp, packet, length, rollovers, tag);
  if (memcmp(tag, packet + length, SRTP_TAG) != 0) return 0;
  srtp_crypt(srtp, packet, header, length, rollovers);
  return length;
}

#endif
