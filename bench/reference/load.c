/*
 * Load for a recorder: so many G.711 streams in packets of 20 ms, from a port each, that hold on to a plan of absolute
 * times; what comes back is counted and, where it should be another stream's packets, compared with them.
 *
 *     load AUDIO STREAMS HOST     AUDIO: mu-law bytes, whole packets, repeated without end
 *
 * Stream I begins I * STRIDE bytes into the audio. Orders are read from the standard input, a line each:
 *
 *     srtp I OUT IN   from now on SRTP, by these master keys and salts: 60 hexadecimal digits each
 *     to I PORT       begins to send to that port of HOST
 *     peer I J        what I receives is what J sends, behind silence at most
 *     hush I          sends no more; what is on its way is received
 *     relayed I       prints how many packets I received of those that J has sent since its "to", and how many of these
 *                     did not come
 *     end I           sends no more, expects nothing; prints the packets that it sent in all. Another "to" begins
 *                     another RTP stream, whose audio goes on where this one ended
 *     window          counts anew
 *     report          prints what was counted, a JSON object
 *     silent I        from now on its packets are digital silence
 *     listen N        keeps the next N packets that each stream receives, of plain RTP
 *     heard PATH      writes them to a file (heard.h) and prints how many they are
 *     quiet           no stream sends any more; what is on its way is received
 *     stop            prints the packets that each stream sent in all and received in all, and when its first one was to be
 *                     sent (us; of a stream that was begun once); of those that should receive another one's, how many
 *                     of its packets did not come from the first one that did, all together, and how many before it, at
 *                     most; ends
 *
 * What a stream receives of another one begins with the first packet of that; only digital silence may come before, as
 * a party is sent until the other one is there. From then on silence is as wrong as anything else, until the other one
 * sends no more.
 *
 * Prints its ports first. The port above each is bound, and never read: for RTCP.
 */
#include "heard.h"
#include "media.h"
#include "srtp.h"

enum {
  STRIDE = 7919,
  PHASES = 20, /* of 1 ms: the streams are spread over the 20 ms */
  TICK_US = 1000,
  RECEIVE_TICKS = 5,
  MOST_EVENTS = 1024,
  LATE_US = 20000, /* as late as a packet is long */
  LATENESS_BUCKETS = 200000,
  LATENESS_STEP_US = 10,
  PACKET_US = 20000,
  MOST_TOLD = 50,
  ULAW_ZERO = 0xff,
};

struct stream {
  int fd, peer, known;
  int sending, begins, silent;
  uint64_t sent, received;
  uint64_t next_packet, begin_packet; /* of the call: the first behind "to" */
  int64_t due_us; /* of the last one */
  struct sockaddr_in to;
  struct srtp *protects, *opens; /* NULL: plain RTP */
  uint32_t ssrc;
  uint16_t first_sequence;
  uint32_t first_time;
  /* Of what it receives. */
  uint32_t base_time;
  int64_t base_packet, first_packet, last_packet;
  uint64_t seen; /* of the last 64, the last one lowest */
  uint64_t distinct, silent_before;
  struct heard heard;
};

static struct stream *streams;
static int stream_count;
static uint8_t *audio;
static uint32_t audio_packets;
static size_t audio_bytes;
static const char *host;

static uint64_t planned, sent, late, unsent, received, wrong, missing, reordered;
static uint64_t most_silent_before;
static uint32_t lateness[LATENESS_BUCKETS];

static void read_audio(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) die(path);
  fseek(file, 0, SEEK_END);
  audio_bytes = ftell(file);
  rewind(file);
  audio_packets = audio_bytes / PACKET_SAMPLES;
  /* Once more behind its end, so that any packet lies in one piece. */
  audio = zeroed(audio_bytes * 2, 1);
  if (fread(audio, 1, audio_bytes, file) != audio_bytes) die(path);
  memcpy(audio + audio_bytes, audio, audio_bytes);
  fclose(file);
}

static const uint8_t *payload_of(int stream, uint64_t packet) {
  return audio + ((uint64_t)stream * STRIDE + packet * PACKET_SAMPLES) % audio_bytes;
}

static void open_streams(void) {
  streams = zeroed(stream_count, sizeof *streams);
  printf("{\"ports\":[");
  for (int i = 0; i < stream_count; i++) {
    struct stream *stream = &streams[i];
    for (;;) {
      stream->fd = open_port(host, 0);
      int port = port_of(stream->fd);
      if (port % 2 == 0 && open_port(host, port + 1) >= 0) break;
      close(stream->fd);
    }
    stream->peer = -1;
    stream->ssrc = 0x10000000u + i;
    stream->first_sequence = (uint16_t)(i * 977);
    stream->first_time = (uint32_t)i * 2654435761u;
    printf("%s%d", i ? "," : "", port_of(stream->fd));
  }
  printf("]}\n");
  fflush(stdout);
}

static void send_next(int index, int64_t due_us) {
  struct stream *stream = &streams[index];
  uint8_t packet[PACKET_BYTES + SRTP_TAG];
  size_t length = PACKET_BYTES;
  uint64_t number = stream->next_packet++;
  packet[0] = 0x80;
  packet[1] = PAYLOAD_TYPE_PCMU | (stream->begins ? 0x80 : 0);
  stream->begins = 0;
  put16(packet + 2, stream->first_sequence + (uint16_t)number);
  put32(packet + 4, stream->first_time + (uint32_t)number * PACKET_SAMPLES);
  put32(packet + 8, stream->ssrc);
  if (stream->silent) memset(packet + RTP_HEADER, ULAW_ZERO, PACKET_SAMPLES);
  else memcpy(packet + RTP_HEADER, payload_of(index, number), PACKET_SAMPLES);
  stream->due_us = due_us;
  if (stream->protects) length = srtp_protect(stream->protects, packet, RTP_HEADER, length);
  planned++;
  int64_t late_us = now_us() - due_us;
  ssize_t written;
  /* A full buffer, or the refusal of a packet sent to the RTCP port of a peer that left. */
  for (int attempt = 0; attempt < 3; attempt++) {
    written = sendto(stream->fd, packet, length, 0, (struct sockaddr *)&stream->to, sizeof stream->to);
    if (written == (ssize_t)length) break;
  }
  if (written != (ssize_t)length) unsent++;
  else {
    stream->sent++;
    sent++;
  }
  if (late_us > LATE_US) late++;
  int64_t bucket = late_us < 0 ? 0 : late_us / LATENESS_STEP_US;
  lateness[bucket < LATENESS_BUCKETS ? bucket : LATENESS_BUCKETS - 1]++;
}

/* @return the number of the packet in its stream, modulo the length of the audio; -1 where it is none of it */
static int64_t find_packet(int stream, const uint8_t *payload) {
  for (uint32_t packet = 0; packet < audio_packets; packet++)
    if (memcmp(payload, payload_of(stream, packet), PACKET_SAMPLES) == 0) return packet;
  return -1;
}

static int is_silence(const uint8_t *payload) {
  for (int i = 0; i < PACKET_SAMPLES; i++)
    if (payload[i] != ULAW_ZERO) return 0;
  return 1;
}

/* @return the number of the last packet like it that a stream has sent since its "to"; -1 where there is none */
static int64_t find_sent(int stream, const uint8_t *payload) {
  int64_t last = (int64_t)streams[stream].next_packet - 1;
  int64_t found = find_packet(stream, payload);
  if (found < 0 || found > last) return -1;
  int64_t number = last - (last - found) % audio_packets;
  return number < (int64_t)streams[stream].begin_packet ? -1 : number;
}

/* What follows is to follow this packet of the other stream. */
static void know(struct stream *stream, uint32_t time, int64_t number) {
  stream->known = 1;
  stream->base_time = time;
  stream->base_packet = number;
  stream->first_packet = stream->last_packet = number;
  stream->seen = stream->distinct = 1;
}

static void take_first(struct stream *stream, uint32_t time, const uint8_t *payload) {
  const struct stream *peer = &streams[stream->peer];
  if (is_silence(payload)) {
    if (peer->sending && ++stream->silent_before > most_silent_before) most_silent_before = stream->silent_before;
    return;
  }
  int64_t number = find_sent(stream->peer, payload);
  if (number < 0) wrong++;
  else know(stream, time, number);
}

/* The first few, to find out why. */
static void tell_wrong(const struct stream *stream, const uint8_t *packet, int64_t number) {
  static int told;
  if (told++ >= MOST_TOLD) return;
  const struct stream *peer = &streams[stream->peer];
  fprintf(stderr, "stream %d, %ld us: number %u has %s in the place of packet %ld; begun at %ld, first %ld, last %ld, sent %ld\n",
          (int)(stream - streams), (long)now_us(), get16(packet + 2),
          is_silence(packet + RTP_HEADER) ? "silence" : "something", (long)number, (long)peer->begin_packet,
          (long)stream->first_packet, (long)stream->last_packet, (long)peer->next_packet);
}

static void take(struct stream *stream, uint8_t *packet, size_t length) {
  stream->received++;
  received++;
  heard_keep(&stream->heard, packet, length);
  if (stream->peer < 0) return;
  if (stream->opens) length = srtp_unprotect(stream->opens, packet, RTP_HEADER, length);
  const uint8_t *payload = packet + RTP_HEADER;
  if (!is_audio(packet, length)) {
    wrong++;
    return;
  }
  uint32_t time = get32(packet + 4);
  if (!stream->known) {
    take_first(stream, time, payload);
    return;
  }
  if (!streams[stream->peer].sending && is_silence(payload)) return;
  int32_t delta = (int32_t)(time - stream->base_time);
  int64_t number = stream->base_packet + delta / PACKET_SAMPLES;
  if (number < 0 || delta % PACKET_SAMPLES != 0 ||
      memcmp(payload, payload_of(stream->peer, number), PACKET_SAMPLES) != 0) {
    wrong++;
    tell_wrong(stream, packet, number);
    int64_t found = find_sent(stream->peer, payload);
    if (found >= 0) know(stream, time, found);
    return;
  }
  int64_t step = number - stream->last_packet;
  if (step <= 0) {
    reordered++;
    /* One that came before is none that was missing. */
    if (step <= -64 || stream->seen >> -step & 1) return;
    stream->seen |= (uint64_t)1 << -step;
    stream->distinct++;
    if (missing > 0) missing--;
    return;
  }
  missing += step - 1;
  stream->seen = step < 64 ? stream->seen << step | 1 : 1;
  stream->distinct++;
  stream->last_packet = number;
}

static void receive_from(struct stream *stream) {
  static uint8_t data[BATCH][DATAGRAM_BYTES];
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){.iov_base = data[i], .iov_len = DATAGRAM_BYTES};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int count = recvmmsg(stream->fd, messages, BATCH, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) take(stream, data[i], messages[i].msg_len);
}

static int64_t lateness_at(double part) {
  uint64_t all = 0, below = 0;
  for (int i = 0; i < LATENESS_BUCKETS; i++) all += lateness[i];
  for (int i = 0; i < LATENESS_BUCKETS; i++) {
    below += lateness[i];
    if (below >= part * all && below > 0) return (int64_t)(i + 1) * LATENESS_STEP_US;
  }
  return 0;
}

static void count_anew(void) {
  planned = sent = late = unsent = received = wrong = missing = reordered = most_silent_before = 0;
  memset(lateness, 0, sizeof lateness);
}

static void report(void) {
  printf("{\"planned\":%lu,\"sent\":%lu,\"late\":%lu,\"unsent\":%lu,\"received\":%lu,\"wrong\":%lu,\"missing\":%lu,"
         "\"reordered\":%lu,\"mostSilentBefore\":%lu,\"latenessP99Us\":%ld,\"latenessP999Us\":%ld,\"latenessMaxUs\":%ld}\n",
         planned, sent, late, unsent, received, wrong, missing, reordered, most_silent_before, lateness_at(0.99),
         lateness_at(0.999), lateness_at(1));
  fflush(stdout);
}

/* Of the other one's packets since its "to", from the first one that came; where none did, all of them. */
static uint64_t not_relayed_to(const struct stream *stream, uint64_t *before) {
  const struct stream *peer = &streams[stream->peer];
  const uint64_t first = stream->known ? (uint64_t)stream->first_packet : peer->begin_packet;
  *before = first - peer->begin_packet;
  return peer->next_packet - first - (stream->known ? stream->distinct : 0);
}

static void tell_relayed(const struct stream *stream) {
  uint64_t before;
  const uint64_t not_relayed = stream->peer < 0 ? 0 : not_relayed_to(stream, &before);
  printf("{\"relayed\":%lu,\"notRelayed\":%lu}\n", stream->known ? stream->distinct : 0, not_relayed);
  fflush(stdout);
}

static void stop(void) {
  printf("{\"sent\":[");
  for (int i = 0; i < stream_count; i++) printf("%s%lu", i ? "," : "", streams[i].sent);
  printf("],\"received\":[");
  for (int i = 0; i < stream_count; i++) printf("%s%lu", i ? "," : "", streams[i].received);
  printf("],\"firstDueUs\":[");
  for (int i = 0; i < stream_count; i++) {
    const struct stream *stream = &streams[i];
    const int64_t behind_first = (int64_t)(stream->next_packet > 0 ? stream->next_packet - 1 : 0) * PACKET_US;
    printf("%s%ld", i ? "," : "", (long)(stream->due_us - behind_first));
  }
  uint64_t not_relayed = 0, most_before = 0;
  for (int i = 0; i < stream_count; i++) {
    uint64_t before;
    if (streams[i].peer < 0) continue;
    not_relayed += not_relayed_to(&streams[i], &before);
    if (before > most_before) most_before = before;
  }
  printf("],\"notRelayed\":%lu,\"notRelayedBefore\":%lu}\n", not_relayed, most_before);
  fflush(stdout);
  exit(0);
}

static void quiet(void) {
  for (int i = 0; i < stream_count; i++) streams[i].sending = 0;
}

static void listen_to_all(int packets) {
  for (int i = 0; i < stream_count; i++) {
    struct stream *stream = &streams[i];
    heard_begin(&stream->heard, packets, stream->next_packet, stream->due_us + PACKET_US);
  }
}

static void write_heard(const char *path) {
  FILE *file = fopen(path, "wb");
  if (!file) die(path);
  uint64_t packets = 0;
  for (int i = 0; i < stream_count; i++) {
    heard_write(&streams[i].heard, file);
    packets += streams[i].heard.count;
  }
  if (fclose(file)) die(path);
  printf("{\"packets\":%lu}\n", packets);
  fflush(stdout);
}

static struct srtp *srtp_of(const char *digits) {
  uint8_t master[SRTP_MASTER];
  for (int i = 0; i < SRTP_MASTER; i++) {
    unsigned byte;
    if (sscanf(digits + 2 * i, "%2x", &byte) != 1) return NULL;
    master[i] = byte;
  }
  struct srtp *srtp = zeroed(1, sizeof *srtp);
  srtp_set_key(srtp, master);
  return srtp;
}

static void begin(struct stream *stream, int port) {
  stream->to = address_of(host, port);
  stream->sending = 1;
  stream->begins = 1;
  stream->begin_packet = stream->next_packet;
}

static void end(struct stream *stream, int index) {
  stream->sending = 0;
  stream->peer = -1;
  stream->known = 0;
  stream->silent_before = 0;
  stream->ssrc += 0x01000000u;
  free(stream->protects);
  free(stream->opens);
  stream->protects = stream->opens = NULL;
  printf("{\"stream\":%d,\"sent\":%lu}\n", index, stream->sent);
  fflush(stdout);
}

static void obey(const char *order) {
  int index, value;
  char out[2 * SRTP_MASTER + 1], in[2 * SRTP_MASTER + 1], path[200];
  if (sscanf(order, "listen %d", &value) == 1) {
    if (value > 0) listen_to_all(value);
    return;
  }
  if (sscanf(order, "%*s %d", &index) == 1 && (index < 0 || index >= stream_count)) return;
  if (sscanf(order, "to %d %d", &index, &value) == 2) begin(&streams[index], value);
  else if (sscanf(order, "peer %d %d", &index, &value) == 2) streams[index].peer = value;
  else if (sscanf(order, "hush %d", &index) == 1) streams[index].sending = 0;
  else if (sscanf(order, "relayed %d", &index) == 1) tell_relayed(&streams[index]);
  else if (sscanf(order, "end %d", &index) == 1) end(&streams[index], index);
  else if (sscanf(order, "srtp %d %60[0-9a-f] %60[0-9a-f]", &index, out, in) == 3) {
    streams[index].protects = srtp_of(out);
    streams[index].opens = srtp_of(in);
  }
  else if (sscanf(order, "silent %d", &index) == 1) streams[index].silent = 1;
  else if (sscanf(order, "heard %199[^\n]", path) == 1) write_heard(path);
  else if (strcmp(order, "window") == 0) count_anew();
  else if (strcmp(order, "report") == 0) report();
  else if (strcmp(order, "quiet") == 0) quiet();
  else if (strcmp(order, "stop") == 0) stop();
  else fprintf(stderr, "load: what is \"%s\"?\n", order);
}

static void read_orders(void) {
  static char line[256];
  static size_t length;
  char bytes[4096];
  ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
  if (count == 0) exit(0);
  for (ssize_t i = 0; i < count; i++) {
    if (bytes[i] != '\n') {
      if (length < sizeof line - 1) line[length++] = bytes[i];
      continue;
    }
    line[length] = 0;
    length = 0;
    obey(line);
  }
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "load AUDIO STREAMS HOST\n");
    return 2;
  }
  read_audio(arguments[1]);
  stream_count = atoi(arguments[2]);
  host = arguments[3];
  allow_many_files();
  /* The load must be on time, whatever else the machine does; refused to those who are not root. */
  struct sched_param priority = {.sched_priority = 1};
  if (sched_setscheduler(0, SCHED_FIFO, &priority)) setpriority(PRIO_PROCESS, 0, -20);
  open_streams();
  int epoll = epoll_create1(0);
  for (int i = 0; i < stream_count; i++) watch(epoll, streams[i].fd, i);
  watch(epoll, STDIN_FILENO, UINT32_MAX);
  struct epoll_event events[MOST_EVENTS];
  int64_t due_us = now_us();
  for (uint64_t tick = 0;; tick++, due_us += TICK_US) {
    sleep_until(due_us);
    for (int i = tick % PHASES; i < stream_count; i += PHASES)
      if (streams[i].sending) send_next(i, due_us);
    /* Sending what is due comes first where it is late. */
    if (tick % RECEIVE_TICKS != 0 || now_us() - due_us > RECEIVE_TICKS * TICK_US) continue;
    int ready = epoll_wait(epoll, events, MOST_EVENTS, 0);
    for (int i = 0; i < ready; i++)
      if (events[i].data.u32 == UINT32_MAX) read_orders();
      else receive_from(&streams[events[i].data.u32]);
  }
}
