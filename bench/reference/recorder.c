/*
 * The least a recorder of two-party calls can cost: receives both ways of each call, relays each packet to the other
 * party, decodes both and writes a stereo WAV file along, which plays as it lies. No signalling, no RTCP, no jitter
 * buffer, no encryption, no crash safety.
 *
 *     recorder CALLS HOST DIRECTORY
 *
 * Prints its ports, two for each call. Every 5 ms it takes what came, sends what is to be relayed, and goes on. Ends
 * with its standard input: files are made whole, and what it did is printed.
 */
#include "media.h"

enum {
  TICK_US = 5000,
  MOST_EVENTS = 4096,
  RATE = 8000,
  RING_SAMPLES = 32768, /* a channel: 4 s; a power of two */
  WRITE_SAMPLES = 16000, /* 2 s */
  BEHIND_SAMPLES = 8000, /* what may still come: 1 s */
  WAV_HEADER = 44,
  MOST_QUEUED = 65536,
};

struct leg {
  int fd, known;
  uint32_t first_time;
  int64_t first_sample; /* where it lies in the file */
  uint32_t ssrc, time_offset;
  uint16_t sequence_offset;
};

struct call {
  struct leg legs[2];
  int file;
  int64_t begun_us; /* 0: nothing came yet */
  int64_t written;
  int64_t end; /* behind the last sample that came */
  int16_t (*ring)[2];
};

struct queued {
  int fd;
  uint8_t data[PACKET_BYTES];
};

static struct call *calls;
static int call_count;
static int16_t decoded[256];
static struct queued *queue;
static int queued_count;
static uint64_t packet_count, unsent_count;

/* ITU-T G.711 */
static void make_table(void) {
  for (int byte = 0; byte < 256; byte++) {
    int value = ~byte & 255;
    int magnitude = (((value & 15) << 3) + 132) << (value >> 4 & 7);
    decoded[byte] = value & 128 ? 132 - magnitude : magnitude - 132;
  }
}

static void write_all(int file, const void *bytes, size_t length, off_t at) {
  if (pwrite(file, bytes, length, at) != (ssize_t)length) die("pwrite");
}

static void write_header(struct call *call) {
  uint32_t bytes = call->written * 4;
  struct {
    char riff[4];
    uint32_t length;
    char wave[8];
    uint32_t format_length;
    uint16_t format, channels;
    uint32_t rate, bytes_per_second;
    uint16_t frame, bits;
    char data[4];
    uint32_t data_length;
  } header = {{'R', 'I', 'F', 'F'}, bytes + 36, {'W', 'A', 'V', 'E', 'f', 'm', 't', ' '}, 16, 1, 2, RATE, RATE * 4, 4, 16,
              {'d', 'a', 't', 'a'}, bytes};
  write_all(call->file, &header, WAV_HEADER, 0);
}

static void write_until(struct call *call, int64_t end) {
  while (call->written < end) {
    int64_t from = call->written & (RING_SAMPLES - 1);
    int64_t count = end - call->written;
    if (count > RING_SAMPLES - from) count = RING_SAMPLES - from;
    write_all(call->file, call->ring[from], count * 4, WAV_HEADER + call->written * 4);
    memset(call->ring[from], 0, count * 4);
    call->written += count;
  }
  write_header(call);
}

static void place(struct call *call, int side, struct leg *leg, const uint8_t *packet, int64_t us) {
  uint32_t time = get32(packet + 4);
  if (call->begun_us == 0) call->begun_us = us;
  if (!leg->known) {
    leg->known = 1;
    leg->first_time = time;
    leg->first_sample = (us - call->begun_us) * RATE / 1000000;
    leg->ssrc = ~get32(packet + 8);
    leg->sequence_offset = (uint16_t)us;
    leg->time_offset = (uint32_t)us;
  }
  int64_t at = leg->first_sample + (int32_t)(time - leg->first_time);
  if (at < call->written || at + PACKET_SAMPLES > call->written + RING_SAMPLES) return;
  const uint8_t *payload = packet + RTP_HEADER;
  for (int i = 0; i < PACKET_SAMPLES; i++) call->ring[(at + i) & (RING_SAMPLES - 1)][side] = decoded[payload[i]];
  if (at + PACKET_SAMPLES > call->end) call->end = at + PACKET_SAMPLES;
  if (call->end - call->written >= WRITE_SAMPLES + BEHIND_SAMPLES) write_until(call, call->written + WRITE_SAMPLES);
}

static void relay(struct leg *from, struct leg *to, const uint8_t *packet) {
  if (!to->known || queued_count == MOST_QUEUED) return;
  struct queued *next = &queue[queued_count++];
  next->fd = to->fd;
  memcpy(next->data, packet, PACKET_BYTES);
  put16(next->data + 2, get16(packet + 2) + from->sequence_offset);
  put32(next->data + 4, get32(packet + 4) + from->time_offset);
  put32(next->data + 8, from->ssrc);
}

/* One packet: of what is ready nearly all have one, and for these that costs the least. */
static void receive_from(int index, int64_t us) {
  static uint8_t data[DATAGRAM_BYTES];
  struct call *call = &calls[index / 2];
  int side = index % 2;
  struct leg *leg = &call->legs[side];
  struct sockaddr_in source;
  socklen_t source_length = sizeof source;
  ssize_t length = leg->known ? recv(leg->fd, data, DATAGRAM_BYTES, MSG_DONTWAIT)
                              : recvfrom(leg->fd, data, DATAGRAM_BYTES, MSG_DONTWAIT, (struct sockaddr *)&source,
                                         &source_length);
  if (length < 0 || !is_audio(data, length)) return;
  packet_count++;
  /* The first packet tells where the party is. */
  if (!leg->known && connect(leg->fd, (struct sockaddr *)&source, source_length)) die("connect");
  place(call, side, leg, data, us);
  relay(leg, &call->legs[1 - side], data);
}

static void finish(void) {
  for (int i = 0; i < call_count; i++) {
    write_until(&calls[i], calls[i].end);
    close(calls[i].file);
  }
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double seconds = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  printf("{\"packets\":%lu,\"unsent\":%lu,\"cpuSeconds\":%.6f}\n", packet_count, unsent_count, seconds);
  exit(0);
}

/* @return whether more may wait */
static int receive_ready(int epoll, int64_t us) {
  static struct epoll_event events[MOST_EVENTS];
  int ready = epoll_wait(epoll, events, MOST_EVENTS, 0);
  for (int i = 0; i < ready; i++) {
    if (events[i].data.u32 == UINT32_MAX) finish();
    receive_from(events[i].data.u32, us);
  }
  return ready > 0;
}

static void send_queued(void) {
  for (int i = 0; i < queued_count; i++)
    if (send(queue[i].fd, queue[i].data, PACKET_BYTES, MSG_DONTWAIT) != PACKET_BYTES) unsent_count++;
  queued_count = 0;
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "recorder CALLS HOST DIRECTORY\n");
    return 2;
  }
  call_count = atoi(arguments[1]);
  allow_many_files();
  make_table();
  calls = zeroed(call_count, sizeof *calls);
  queue = zeroed(MOST_QUEUED, sizeof *queue);
  int epoll = epoll_create1(0);
  printf("{\"ports\":[");
  for (int i = 0; i < call_count; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%d.wav", arguments[3], i);
    calls[i].file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (calls[i].file < 0) die(path);
    calls[i].ring = zeroed(RING_SAMPLES, sizeof *calls[i].ring);
    for (int side = 0; side < 2; side++) {
      calls[i].legs[side].fd = open_port(arguments[2], 0);
      watch(epoll, calls[i].legs[side].fd, i * 2 + side);
      printf("%s%d", i || side ? "," : "", port_of(calls[i].legs[side].fd));
    }
  }
  printf("]}\n");
  fflush(stdout);
  watch(epoll, STDIN_FILENO, UINT32_MAX);
  int64_t due_us = now_us();
  for (;;) {
    due_us += TICK_US;
    int64_t us = now_us();
    if (due_us < us) due_us = us;
    sleep_until(due_us);
    us = now_us();
    while (receive_ready(epoll, us)) {
    }
    send_queued();
  }
}
