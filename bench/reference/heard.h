/*
 * What the streams of the load generator hear: so many packets of each are kept, and written to a file afterwards, as
 * this machine has its numbers, stream by stream:
 *
 *     uint32  packet that the stream itself was to send next when listening began
 *     int32   when that was due, in us from then
 *     uint32  packets that it heard
 *     those:  uint32 when it came, in us from then; uint32 RTP time; payload
 */
#ifndef HEARD_H
#define HEARD_H

#include "media.h"

struct heard_packet {
  uint32_t at_us, rtp_time;
  uint8_t payload[PACKET_SAMPLES];
};

struct heard {
  uint32_t next_packet;
  int32_t due_us;
  uint32_t count, most;
  int64_t since_us;
  struct heard_packet *packets;
};

static inline void heard_begin(struct heard *heard, uint32_t most, uint64_t next_packet, int64_t due_us) {
  free(heard->packets);
  heard->packets = zeroed(most, sizeof *heard->packets);
  heard->most = most;
  heard->count = 0;
  heard->since_us = now_us();
  heard->next_packet = (uint32_t)next_packet;
  heard->due_us = (int32_t)(due_us - heard->since_us);
}

static inline void heard_keep(struct heard *heard, const uint8_t *packet, size_t length) {
  if (heard->count >= heard->most || !is_audio(packet, length)) return;
  struct heard_packet *kept = &heard->packets[heard->count++];
  kept->at_us = (uint32_t)(now_us() - heard->since_us);
  kept->rtp_time = get32(packet + 4);
  memcpy(kept->payload, packet + RTP_HEADER, PACKET_SAMPLES);
}

static inline void heard_write(const struct heard *heard, FILE *file) {
  fwrite(&heard->next_packet, sizeof heard->next_packet, 1, file);
  fwrite(&heard->due_us, sizeof heard->due_us, 1, file);
  fwrite(&heard->count, sizeof heard->count, 1, file);
  fwrite(heard->packets, sizeof *heard->packets, heard->count, file);
}

#endif
