/* What the load generator and the reference recorder share. Linux. */
#ifndef MEDIA_H
#define MEDIA_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  PACKET_SAMPLES = 160, /* 20 ms at 8 kHz */
  RTP_HEADER = 12,
  PACKET_BYTES = RTP_HEADER + PACKET_SAMPLES,
  DATAGRAM_BYTES = 512,
  BATCH = 8,
  PAYLOAD_TYPE_PCMU = 0,
};

static inline void die(const char *what) {
  perror(what);
  exit(1);
}

static inline int64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static inline void sleep_until(int64_t us) {
  struct timespec until = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
  }
}

static inline void *zeroed(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) die("calloc");
  return memory;
}

static inline void allow_many_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit)) die("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static inline struct sockaddr_in address_of(const char *host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) die(host);
  return address;
}

/* @return -1 where the port is taken; 0 takes any */
static inline int open_port(const char *host, int port) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  struct sockaddr_in address = address_of(host, port);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

static inline int port_of(int fd) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length)) die("getsockname");
  return ntohs(address.sin_port);
}

static inline void watch(int epoll, int fd, uint32_t index) {
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static inline uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static inline uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }
static inline void put16(uint8_t *at, uint16_t value) {
  at[0] = value >> 8;
  at[1] = value & 255;
}
static inline void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value & 65535);
}

/* Version 2, no CSRC, no extension, no padding: all that is sent here. */
static inline int is_audio(const uint8_t *packet, size_t length) {
  return length == PACKET_BYTES && packet[0] == 0x80 && (packet[1] & 127) == PAYLOAD_TYPE_PCMU;
}

#endif
