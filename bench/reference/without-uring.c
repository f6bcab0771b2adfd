/*
 *     without-uring PROGRAM [ARGUMENT...]
 *
 * Runs a program to which every call of io_uring answers EPERM, as under Docker's default seccomp profile. Linux.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

/* io_uring_setup, _enter and _register have the same numbers on every architecture. */
enum { FIRST = 425, LAST = 427 };

int main(int count, char **arguments) {
  if (count < 2) {
    fprintf(stderr, "without-uring PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof rules / sizeof *rules, .filter = rules};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0)) {
    perror("seccomp");
    return 1;
  }
  execvp(arguments[1], arguments + 1);
  perror(arguments[1]);
  return 1;
}
