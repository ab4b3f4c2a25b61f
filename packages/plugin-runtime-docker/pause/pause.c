/*
 * The program of a sandbox, without a C library. Built by build-pause.ts.
 *
 *   pause            Holds the sandbox's namespaces: reaps what its parents left behind, ends with 0 at SIGTERM or SIGINT.
 *   pause dial PORT  Connects to the port on the sandbox's loopback (IPv4, then IPv6), writes one '+', then carries bytes between the
 *                    connection and its standard streams, each direction to its own end. Ends with the errno when nobody listens.
 */

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, CLOSE = 3, SIGPROCMASK = 14, SOCKET = 41, CONNECT = 42, SHUTDOWN = 48, CLONE = 56, WAIT4 = 61, KILL = 62, SIGTIMEDWAIT = 128, EXIT_GROUP = 231 };
__asm__(".globl _start\n_start: mov %rsp,%rdi\n and $-16,%rsp\n call begin\n");
static long call(long number, long a, long b, long c, long d, long e) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
enum { CLOSE = 57, READ = 63, WRITE = 64, EXIT_GROUP = 94, KILL = 129, SIGPROCMASK = 135, SIGTIMEDWAIT = 137, SOCKET = 198, CONNECT = 203, SHUTDOWN = 210, CLONE = 220, WAIT4 = 260 };
__asm__(".globl _start\n_start: mov x0,sp\n bl begin\n");
static long call(long number, long a, long b, long c, long d, long e) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}
#else
#error "no system calls are known for this processor"
#endif

enum { SIG_INT = 2, SIG_KILL = 9, SIG_TERM = 15, SIG_CHLD = 17, AF_INET4 = 2, AF_INET_6 = 10, STREAM = 1, EINTR_ = 4, EINVAL_ = 22, NO_HANG = 1 };

__attribute__((noreturn)) static void end(long code) {
  for (;;) call(EXIT_GROUP, code, 0, 0, 0, 0);
}

__attribute__((noreturn)) static void hold(void) {
  unsigned long awaited = 1UL << (SIG_INT - 1) | 1UL << (SIG_TERM - 1) | 1UL << (SIG_CHLD - 1);
  call(SIGPROCMASK, 0, (long)&awaited, 0, sizeof awaited, 0);
  for (;;) {
    long signal = call(SIGTIMEDWAIT, (long)&awaited, 0, 0, sizeof awaited, 0);
    if (signal == SIG_INT || signal == SIG_TERM) end(0);
    if (signal == SIG_CHLD)
      while (call(WAIT4, -1, 0, NO_HANG, 0, 0) > 0) {}
  }
}

/* Carries bytes until the source ends or the target takes no more. */
static void carry(long from, long to) {
  static char buffer[65536];
  for (;;) {
    long got = call(READ, from, (long)buffer, sizeof buffer, 0, 0);
    if (got == -EINTR_) continue;
    if (got <= 0) return;
    for (long at = 0; at < got;) {
      long put = call(WRITE, to, (long)(buffer + at), got - at, 0, 0);
      if (put == -EINTR_) continue;
      if (put <= 0) return;
      at += put;
    }
  }
}

/* A socket address of either family, in network byte order: family, port, then what each family puts behind them. */
struct address {
  unsigned short family;
  unsigned char port[2];
  unsigned char rest[24];
};

/* The connected socket, or a negative errno. */
static long dial(int family, long port) {
  static struct address to;
  to = (struct address){.family = (unsigned short)family, .port = {(unsigned char)(port >> 8), (unsigned char)port}};
  if (family == AF_INET4) {
    to.rest[0] = 127;
    to.rest[3] = 1;
  } else {
    to.rest[19] = 1;
  }
  long socket = call(SOCKET, family, STREAM, 0, 0, 0);
  if (socket < 0) return socket;
  long refused = call(CONNECT, socket, (long)&to, family == AF_INET4 ? 16 : 28, 0, 0);
  return refused < 0 ? refused : socket;
}

__attribute__((noreturn)) static void relay(const char *text) {
  long port = 0;
  while (*text >= '0' && *text <= '9' && port < 65536) port = port * 10 + (*text++ - '0');
  if (*text != 0 || port < 1 || port > 65535) end(EINVAL_);
  long socket = dial(AF_INET4, port);
  long other = socket < 0 ? dial(AF_INET_6, port) : socket;
  if (other < 0) end(-socket);
  call(WRITE, 1, (long)"+", 1, 0, 0);
  /* Two processes, because one that waits for room in a direction would not empty the other. */
  long child = call(CLONE, SIG_CHLD, 0, 0, 0, 0);
  if (child < 0) end(-child);
  if (child == 0) {
    call(CLOSE, 1, 0, 0, 0, 0);
    call(CLOSE, 2, 0, 0, 0, 0);
    carry(0, other);
    call(SHUTDOWN, other, 1, 0, 0, 0);
    end(0);
  }
  carry(other, 1);
  call(KILL, child, SIG_KILL, 0, 0, 0);
  end(0);
}

/* `stack` is how a process begins: the count of arguments, then the arguments. */
__attribute__((used, noreturn)) static void begin(long *stack) {
  char **arguments = (char **)(stack + 1);
  if (stack[0] == 1) hold();
  const char *command = arguments[1];
  if (stack[0] == 3 && command[0] == 'd' && command[1] == 'i' && command[2] == 'a' && command[3] == 'l' && command[4] == 0) relay(arguments[2]);
  end(EINVAL_);
}
